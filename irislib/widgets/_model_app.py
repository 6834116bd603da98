"""The app of a model: Prediction, Insights, Performance, and whole tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from irislib import insights
from irislib._common.messages import TEXTS
from irislib._modeling import registry
from irislib._modeling.model import Model
from irislib._modeling.prediction import Prediction
from irislib.errors import NotApplicableError
from irislib.insights import Insight
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import needs_row, options
from irislib.widgets import _html
from irislib.widgets._held_features import Holdable
from irislib.widgets._jobs import Work
from irislib.widgets._page import Page, Tab

__all__ = ["app"]

FIXED = "fixed"  # the parameter of an insight that takes the features which are to stay as they are


def app(model: Model) -> Page:
    """The app of a trained model, as a widget: the last line of a notebook's cell shows it.

    Parameters
    ----------
    model : Model
        What :func:`irislib.load` or :func:`irislib.train` returned.
    """
    spec = model.spec
    _ = model.fast_form  # made and proved while the page starts, not at the first click

    def predicted(answer: Prediction) -> Sequence[Any]:
        shown: list[Any] = [_html.heading(str(answer))]
        labels = {feature.name: feature.label for feature in spec.features}
        shown += [_html.paragraph(w.labelled(labels.get(w.feature or "", "")), "warning") for w in answer.warnings]
        if answer.probabilities:
            shown.append(_html.table(insights.class_probabilities(model, answer).frame, barred="probability"))
        with suppress(NotApplicableError):  # what there are too few held-out rows for is left unsaid
            shown.append(insights.prediction_set(model, answer).text)
        return shown

    minutes = model.trained_at[:16].replace("T", " ") + " UTC"
    empty = TEXTS["empty"].format(action=spec.action, target=spec.target)
    return Page(
        spec.title,
        spec.features,
        spec.action,
        model.predict_checked,
        [
            Tab(TEXTS["prediction"], predicted, empty),
            *(
                Tab(title, _drawing(model, functions), empty if any(map(needs_row, functions)) else "")
                for title, functions in (spec.tabs or insights.default_tabs(model)).items()
            ),
        ],
        examples=spec.examples,
        summary=str,
        model=model,
        about={
            TEXTS["about_model"]: TEXTS["model_version"].format(title=spec.title, version=model.version),
            TEXTS["about_training"]: TEXTS["trained"].format(when=minutes, rows=model.data["training_rows"]),
            TEXTS["about_data"]: spec.source,
        },
        card=f"{spec.name}/card" if registry.is_served(model) else "",
    )


def _drawing(model: Model, functions: Sequence[Callable[..., Insight]]) -> Callable[[Any], Sequence[Any]]:
    """A drawing of insights, one below the other; one that does not apply is a sentence."""

    def draw(answer: Any) -> Sequence[Any]:
        shown: list[Any] = []
        for function in functions:
            try:
                shown.append(_found(model, function, answer))
            except NotApplicableError as error:
                if str(error) not in shown:
                    shown.append(str(error))
        return shown

    return draw


def _found(model: Model, function: Callable[..., Insight], answer: Any) -> Insight | Work | Holdable:
    """An insight; or the offer to measure it where that takes long, or to fix some features where it can."""
    if isinstance(function, LongRunning):
        return function.kept(model) or Work(
            function.name, function.title, lambda: function.steps(model), function.at_once
        )
    if not needs_row(function):
        return function(model)
    if FIXED in options(function):
        return Holdable(function.__name__, lambda fixed: function(model, answer, fixed=fixed))
    return function(model, answer)
