"""The app: a form for the features on the left, tabs with the results on the right."""

from irislib.widgets._model_app import app
from irislib.widgets._page import Page, Tab

__all__ = ["Page", "Tab", "app"]
