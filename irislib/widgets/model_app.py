"""The app of a model: Prediction, Insights, Performance, and whole tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from irislib import insights
from irislib.errors import NotApplicableError
from irislib.insights import Insight
from irislib.model import Answer, Model
from irislib.texts import TEXTS
from irislib.widgets import showing
from irislib.widgets.page import Page, Tab

__all__ = ["app"]


def app(model: Model) -> Page:
    """The app of a trained model, as a widget: the last line of a notebook's cell shows it.

    Parameters
    ----------
    model : Model
        What :func:`irislib.load` or :func:`irislib.train` returned.
    """
    spec = model.spec
    _ = model.walk  # made and proved while the page starts, not at the first click

    def predicted(answer: Answer) -> Sequence[Any]:
        shown = [showing.heading(str(answer))]
        labels = {feature.name: feature.label for feature in spec.features}
        shown += [showing.paragraph(w.labelled(labels[w.feature or ""]), "warning") for w in answer.warnings]
        if answer.probabilities:
            shown.append(showing.probabilities(insights.class_probabilities(model, answer).frame))
        return shown

    minutes = model.trained_at[:16].replace("T", " ") + " UTC"
    empty = TEXTS["empty"].format(action=spec.action, target=spec.target)
    return Page(
        spec.title,
        spec.features,
        spec.action,
        model.answer,
        [
            Tab(TEXTS["prediction"], predicted, empty),
            Tab(
                TEXTS["insights"],
                _first(model, insights.feature_importances, insights.permutation_importance),
            ),
            Tab(
                TEXTS["performance"],
                _first(model, insights.confusion_matrix, insights.predicted_against_true),
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
    )


def _first(model: Model, *functions: Callable[[Model], Insight]) -> Callable[[Any], Sequence[Any]]:
    """A drawing of the first insight that applies to this kind of model."""

    def draw(_: Any) -> Sequence[Any]:
        why = ""
        for function in functions:
            try:
                return [function(model)]
            except NotApplicableError as error:
                why = str(error)
        return [why]

    return draw
