"""The work of every page, done once in the template process.

Whatever runs for the first time imports modules, fills caches and adapts its bytecode: each forked process would do it
again, in a copy of the memory that it shares with all others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from ipywidgets import Widget
from sklearn.ensemble import RandomForestClassifier

from irislib._common import model_caches
from irislib._forkserver.notebook import RecordingSession, record_outputs, run_notebook
from irislib._modeling.model import Model
from irislib.widgets._model_app import app
from irislib.widgets._warm_up import rehearse as rehearse_page

__all__ = ["rehearse"]


def rehearse() -> None:
    """Run a cell that leaves no trace that a notebook could see, then do what the app of a model does."""
    run_notebook({"cells": [{"cell_type": "code", "source": "print()"}]})
    with record_outputs(RecordingSession()):
        page = app(small_model())
        rehearse_page(page)
        page.close()
        Widget.close_all()
    model_caches.clear()


def small_model() -> Model:
    """Return a model of invented rows, which takes no time to speak of."""
    numbers = np.arange(60.0)
    rows = pd.DataFrame({"first": numbers, "second": numbers % 7})
    classes = pd.Series(np.where(numbers < 20, "low", np.where(numbers % 7 < 3, "middle", "high")), name="class")
    return Model.from_estimator(RandomForestClassifier(5, random_state=0).fit(rows, classes), rows, classes)
