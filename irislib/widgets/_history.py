"""The visitor's last predictions, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib.widgets._blocks import Block, FillButton, Html, Paragraph, Rows, Section
from irislib.widgets._fields import format_entry
from irislib.widgets._html import render

__all__ = ["History"]

MAX_ENTRIES = 10


@dataclass(frozen=True)
class Entry:
    """A prediction and its inputs."""

    prediction: str
    values: dict[str, str]

    @cached_property
    def button(self) -> Html:
        """The button that fills in the form with the values; rendered once, for it stays for ten answers."""
        return Html(render([FillButton(TEXTS["fill_again"], self.values, self.prediction)]))

    def cell(self, feature: Feature) -> str:
        """Format a value for a person."""
        if feature.name not in self.texts:
            known = feature.name in self.values
            self.texts[feature.name] = format_entry(feature, self.values[feature.name]) if known else ""
        return self.texts[feature.name]

    @cached_property
    def texts(self) -> dict[str, str]:
        """The values that were formatted, by the names of the features."""
        return {}


class History:
    """The last predictions of one visitor, the latest first, without private inputs."""

    def __init__(self, features: Sequence[Feature], answer_label: str):
        self.answer_label = answer_label
        self.features = [feature for feature in features if not feature.private]
        self.entries: list[Entry] = []

    def add(self, prediction: str, values: Mapping[str, str]) -> None:
        """Add a prediction, unless it repeats the latest."""
        names = {feature.name for feature in self.features}
        entry = Entry(prediction, {name: value for name, value in values.items() if name in names})
        if not self.entries or entry != self.entries[0]:
            self.entries = [entry, *self.entries][:MAX_ENTRIES]

    def to_blocks(self) -> list[Block]:
        """Return a table of the predictions and of the inputs in which they differ; nothing before the second."""
        if len(self.entries) < 2:
            return []
        differing = [
            feature for feature in self.features if len({entry.values.get(feature.name) for entry in self.entries}) > 1
        ]
        rows = [
            [
                entry.prediction,
                *(entry.cell(feature) for feature in differing),
                entry.button,
            ]
            for entry in self.entries
        ]
        names = [self.answer_label, *(feature.label for feature in differing), ""]
        table = Rows(names, rows, has_own_names=True)
        return [Section(TEXTS["history"], [Paragraph(TEXTS["history_differs"]), table], "history")]
