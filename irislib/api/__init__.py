"""The endpoint: a small Flask application that answers programs.

Run alone under Gunicorn by ``irislib api``, natively by ``flask --app irislib.api run``, and
inside ``irislib serve`` at the same paths as the apps. :func:`blueprint` makes it a part of an
application of your own.
"""

from irislib.api._blueprint import blueprint
from irislib.api._config import Options
from irislib.api._routes import create_app, failing

__all__ = ["Options", "blueprint", "create_app", "failing"]
