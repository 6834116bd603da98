"""The first tab of a model's app: the answer, its warnings in one line, the probabilities, and how sure it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from irislib import insights
from irislib._common.messages import TEXTS
from irislib._description.values import is_empty
from irislib.errors import NotApplicableError
from irislib.insights._background import class_column, ranked_classes
from irislib.insights._conformal import coverage_sentence, set_sentence
from irislib.widgets._blocks import Block, Details, Heading, Paragraph, Rows
from irislib.widgets._insight_list import alone

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["draw_prediction"]


def draw_prediction(model: Model, prediction: Prediction) -> list[Any]:
    """Return the content of the tab."""
    content: list[Any] = [Heading(str(prediction)), *_warnings(model, prediction)]
    if prediction.probabilities:
        with alone(insights.class_probabilities, content):
            content.append(_probabilities(model, prediction))
    with alone(insights.prediction_set, content), suppress(NotApplicableError):  # there may be too few test rows
        content.append(_certainty(model, prediction))
    return content


def _probabilities(model: Model, prediction: Prediction) -> Rows:
    """Return the table of :func:`irislib.insights.class_probabilities`."""
    return Rows([class_column(model), "probability"], ranked_classes(prediction), "probability")


def _warnings(model: Model, prediction: Prediction) -> list[Block]:
    """Return the warnings; those about several values are one sentence, which opens to the others."""
    labels = {feature.name: feature.label for feature in model.spec.features}
    texts = [warning.labelled(labels.get(warning.feature or "", "")) for warning in prediction.warnings]
    about_values = [text for text, warning in zip(texts, prediction.warnings, strict=True) if warning.feature]
    others = [text for text in texts if text not in about_values]
    blocks: list[Block] = [Paragraph(text, "warning") for text in about_values]
    if len(about_values) > 1:
        total = sum(not is_empty(value) for value in prediction.values.values())
        key = "outside" if model.knows_training_rows else "outside_given"
        sentence = TEXTS[key].format(count=len(about_values), total=total)
        blocks = [Details(sentence, [Paragraph(text) for text in about_values], "warning")]
    return blocks + [Paragraph(text, "warning") for text in others]


def _certainty(model: Model, prediction: Prediction) -> str:
    """Return how sure the answer is; of a near tie a warning has said which classes come into question."""
    if prediction.is_near_tie and not prediction.is_outside_training:
        return coverage_sentence(model, prediction)
    return set_sentence(model, prediction)
