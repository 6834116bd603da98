"""The app: a form made from the features at the left, tabs with the answers at the right."""

from irislib.widgets.model_app import app
from irislib.widgets.page import Page, Tab

__all__ = ["Page", "Tab", "app"]
