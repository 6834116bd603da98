"""The app: a form for the features on the left, tabs with the results on the right; and its parts.

`app` makes the whole of a model. A `Page` is the same for any function: a form, a button, and each `Tab` of the
results. `Form` and `Content` are single widgets, for use beside others: the form alone, and what a tab shows.
"""

from irislib.widgets._content import Content
from irislib.widgets._form import Form
from irislib.widgets._model_app import app
from irislib.widgets._page import Page, Tab

__all__ = ["Content", "Form", "Page", "Tab", "app"]
