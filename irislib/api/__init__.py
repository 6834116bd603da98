"""The endpoint: a small Flask application that answers programs.

Run alone under Gunicorn by ``irislib api``, natively by ``flask --app irislib.api run``, and
inside ``irislib serve`` at the same paths as the apps.
"""

from irislib.api.options import Options
from irislib.api.shim import create_app, failing

__all__ = ["Options", "create_app", "failing"]
