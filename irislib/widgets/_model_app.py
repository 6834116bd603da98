"""The app of a model: Prediction, Insights, Performance, and whole tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from irislib import insights
from irislib._common.formatting import format_value, within_sentence
from irislib._common.language import current_language
from irislib._common.messages import TEXTS
from irislib._description.translation import action_text, tab_title, translated
from irislib._modeling import registry
from irislib._modeling.arguments import require_model
from irislib._modeling.model import Model
from irislib._prediction_log.pages import is_logging
from irislib.insights import Insight
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import function_options, insight_title, needs_row
from irislib.widgets._blocks import Block, HeldFeatures, Job
from irislib.widgets._insight_list import add_insight
from irislib.widgets._live import is_live
from irislib.widgets._page import Page, Tab
from irislib.widgets._prediction_tab import draw_prediction

__all__ = ["app"]

FIXED = "fixed"  # the parameter of an insight that takes the held features


def app(model: Model) -> Page:
    """Return the app of a trained model, as a widget: the last line of a notebook's cell displays it.

    Parameters
    ----------
    model : Model
        From :func:`irislib.load` or :func:`irislib.train`.
    """
    require_model(model)
    spec = translated(model.spec, current_language())
    if spec is not model.spec:
        model = replace(model, spec=spec)
    _ = model.fast_form  # built and proved while the page starts, not at the first click

    trained = dt.datetime.fromisoformat(model.trained_at)
    facts = {"when": f"{format_value(trained.date())} {trained:%H:%M} UTC", "rows": model.data["training_rows"]}
    if model.is_fitted_elsewhere and model.is_evaluated:
        facts["rows"] = len(model.evaluation.y_true)
    origin = "trained" if not model.is_fitted_elsewhere else "fitted" if model.is_evaluated else "fitted_alone"
    about = "about_fitted" if model.is_fitted_elsewhere else "about_trained"
    live, target, action = is_live(model), within_sentence(spec.target_label), action_text(spec)
    empty = TEXTS["empty"].format(action=action, target=target)
    first = TEXTS["empty_live"].format(target=target) if live else empty
    return Page(
        spec.title,
        spec.features,
        action,
        model.predict_checked,
        [
            Tab(TEXTS["prediction"], partial(draw_prediction, model), first),
            *(
                Tab(
                    tab_title(spec, title),
                    _draw_insights(model, functions),
                    empty if any(map(needs_row, functions)) else "",
                )
                for title, functions in (spec.tabs or insights.default_tabs(model)).items()
            ),
        ],
        examples=spec.examples,
        summary=lambda prediction: prediction.answer,
        model=model,
        about={
            TEXTS["about_model"]: TEXTS["model_version"].format(title=spec.title, version=model.version),
            TEXTS[about]: TEXTS[origin].format(**facts),
            TEXTS["about_data"]: spec.source,
            TEXTS["about_stored"]: TEXTS["stored"].format(action=action) if is_logging() else "",
        },
        card=f"{spec.name}/card" if registry.is_served(model) else "",
        introduction=spec.introduction,
        answer_label=spec.target_label,
        live=live,
        theme=spec.theme,
    )


def _draw_insights(model: Model, functions: Sequence[Callable[..., Insight]]) -> Callable[[Any], Sequence[Any]]:
    """Return a tab's function that draws insights one below the other; one that does not apply is a sentence."""

    def draw(prediction: Any) -> Sequence[Any]:
        content: list[Any] = []
        for function in functions:
            add_insight(function, content, partial(_compute, model, function, prediction))
        return content

    return draw


def _compute(model: Model, function: Callable[..., Insight], prediction: Any) -> Insight | Block:
    """Compute an insight; return a job if it takes long, or a block with held features if it takes some."""
    if isinstance(function, LongRunning):
        return function.stored(model) or Job(
            *(function.name, function.title, lambda: function.steps(model)),
            TEXTS["work_trains"] if function.trains else TEXTS["work_at_once"] if function.at_once else TEXTS["work"],
            function.at_once,
            stored=lambda: function.stored(model),
        )
    if not needs_row(function):
        return function(model)
    if FIXED in function_options(function):
        return HeldFeatures(
            function.__name__, insight_title(function), lambda names: function(model, prediction, fixed=names)
        )
    return function(model, prediction)
