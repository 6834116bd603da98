"""The visitor's last answers, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib.widgets import _html
from irislib.widgets._fields import typed

__all__ = ["History"]

KEPT = 10


@dataclass(frozen=True)
class Entry:
    """One answer, and the entries that it is the answer to."""

    answer: str
    values: dict[str, str]


class History:
    """The last answers of one visitor, the latest first. What is private is not in it."""

    def __init__(self, features: Sequence[Feature]):
        self.features = [feature for feature in features if not feature.private]
        self.entries: list[Entry] = []

    def add(self, answer: str, values: Mapping[str, str]) -> None:
        """Keep an answer; one that repeats the one before is not kept twice."""
        names = {feature.name for feature in self.features}
        entry = Entry(answer, {name: value for name, value in values.items() if name in names})
        if not self.entries or entry != self.entries[0]:
            self.entries = [entry, *self.entries][:KEPT]

    def html(self) -> Markup:
        """A table of the answers and of the inputs in which they differ; nothing before the second."""
        import pandas as pd

        if len(self.entries) < 2:
            return Markup("")
        differing = [
            feature for feature in self.features if len({entry.values.get(feature.name) for entry in self.entries}) > 1
        ]
        rows = [
            [
                entry.answer,
                _html.filling(TEXTS["fill_again"], entry.values, entry.answer),
                *(typed(f, entry.values[f.name]) if f.name in entry.values else "" for f in differing),
            ]
            for entry in self.entries
        ]
        names = [TEXTS["answer"], "", *(feature.label for feature in differing)]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        return Markup('<section class="irislib-history"><h3>{}</h3><p>{}</p>{}</section>').format(
            TEXTS["history"], TEXTS["history_differs"], _html.table(frame, lambda value: value)
        )
