"""The visitor's last predictions, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib.widgets._blocks import Block, FillButton, Paragraph, Section, Table
from irislib.widgets._fields import format_entry

__all__ = ["History"]

MAX_ENTRIES = 10


@dataclass(frozen=True)
class Entry:
    """A prediction and its inputs."""

    prediction: str
    values: dict[str, str]


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
        import pandas as pd

        if len(self.entries) < 2:
            return []
        differing = [
            feature for feature in self.features if len({entry.values.get(feature.name) for entry in self.entries}) > 1
        ]
        rows = [
            [
                entry.prediction,
                *(format_entry(f, entry.values[f.name]) if f.name in entry.values else "" for f in differing),
                FillButton(TEXTS["fill_again"], entry.values, entry.prediction),
            ]
            for entry in self.entries
        ]
        names = [self.answer_label, *(feature.label for feature in differing), ""]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        return [
            Section(
                TEXTS["history"], [Paragraph(TEXTS["history_differs"]), Table(frame, has_own_names=True)], "history"
            )
        ]
