"""The app: a form made from the features at the left, tabs with the answers at the right."""

from irislib.widgets._model_app import app
from irislib.widgets._page import Page, Tab

__all__ = ["Page", "Tab", "app"]
