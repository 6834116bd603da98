"""Rows to try whose true answer is known: those that were held out of the training."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._description.values import to_python
from irislib.insights._phrases import format_target
from irislib.widgets._blocks import Block, Paragraph
from irislib.widgets._fields import form_values
from irislib.widgets._typed_row import typed_row

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["TestRows"]


class TestRows:
    """The test rows of a model, one of which fills the form.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.latest: tuple[dict[str, str], Any] | None = None  # the values in the form, and the true answer

    def handle_random(self, _: Mapping[str, Any], __: Sequence[Any]) -> dict[str, Any]:
        """Return the values of a test row chosen by chance."""
        held_out = self.model.evaluation
        i = random.randrange(len(held_out.features))  # noqa: S311 - no secret
        cells = held_out.features.iloc[i]
        row = {feature.name: to_python(cells[feature.column]) for feature in self.model.spec.features}
        values = form_values(self.model.spec.features, typed_row(self.model, row))
        self.latest = values, to_python(held_out.y_true[i])
        return {"values": values}

    def compare(self, values: Mapping[str, str], prediction: Prediction) -> list[Block]:
        """Return the sentence that compares a prediction with the true answer, if these values are of such a row."""
        if self.latest is None or dict(values) != self.latest[0]:
            return []
        true = self.latest[1]
        if self.model.classes is None:
            off = format_target(self.model, abs(prediction.prediction - true))
            return [Paragraph(TEXTS["test_row_number"].format(true=format_target(self.model, true), off=off))]
        is_right = prediction.prediction == true
        text = TEXTS["test_row_right"] if is_right else TEXTS["test_row_wrong"]
        return [Paragraph(text.format(true=true))]
