"""A table with its predictions, and the true values if it has a column of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from irislib._description.class_names import class_matcher
from irislib._description.number_text import readings, simplify_number
from irislib._description.translation import original
from irislib._description.values import normalized

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.csv_layout import CsvLayout
    from irislib._modeling.model import Model

__all__ = ["PredictedTable", "find_true_column"]


def find_true_column(spec: ModelSpec, header: Sequence[str]) -> int | None:
    """Return the position of the column that is called as the target is, or None."""
    names = {normalized(name).casefold() for name in (spec.target, spec.target_label, original(spec).target_label)}
    return next((i for i, name in enumerate(header) if normalized(name).strip().casefold() in names), None)


@dataclass(frozen=True, eq=False)
class PredictedTable:
    """A table with its predictions.

    Attributes
    ----------
    model : Model
    layout : CsvLayout
    rows : sequence of list of str
    results : sequence of tuple
        From :func:`irislib._modeling.csv_results.result_cells`, one for each row.
    """

    model: Model
    layout: CsvLayout
    rows: Sequence[list[str]]
    results: Sequence[tuple[Any, ...]]

    @cached_property
    def predicted(self) -> list[int]:
        """The positions of the rows that have a prediction."""
        return [i for i, cells in enumerate(self.results) if cells[0] is not None]

    @cached_property
    def class_counts(self) -> Counter[str]:
        """The number of rows of each predicted class."""
        return Counter(str(self.prediction(i)) for i in self.predicted)

    def prediction(self, position: int) -> Any:
        """Return the prediction for a row."""
        return self.results[position][0]

    def probability(self, position: int) -> float:
        """Return the probability of the likeliest class of a row."""
        return float(max(self.results[position][1:-2]))

    def has_warning(self, position: int) -> bool:
        """Return True if something is said about the prediction for a row."""
        return bool(self.results[position][-2])

    @cached_property
    def failed(self) -> list[int]:
        """The positions of the rows that could not be predicted."""
        return [i for i, cells in enumerate(self.results) if cells[-1]]

    @property
    def true_column(self) -> str:
        """The name of the file's column of true values; empty without one."""
        return "" if self._true_index is None else self.layout.header[self._true_index]

    @cached_property
    def _true_index(self) -> int | None:
        return find_true_column(self.model.spec, self.layout.header)

    @cached_property
    def truth(self) -> dict[int, Any]:
        """The true values of predicted rows, by position: names of classes, or numbers.

        It lacks the rows whose cell holds neither, and is empty if no column is called as the target is.
        """
        index, layout = self._true_index, self.layout
        if index is None:
            return {}
        cells = ((i, fitted[index].strip()) for i in self.predicted if (fitted := layout.fit(self.rows[i])))
        parse = self._parse_number if self.model.classes is None else self._parse_class
        return {i: value for i, cell in cells if (value := parse(cell)) is not None}

    @cached_property
    def _classes(self) -> dict[str, str]:
        spec = self.model.spec
        codes = {str(code).casefold(): str(name) for code, name in spec.classes.items()}
        return codes | {str(label).casefold(): str(label) for label in self.model.classes or ()}

    @cached_property
    def _match_class(self) -> Callable[[Any], Any]:
        return class_matcher(self.model.spec.classes or self.model.classes or ())

    def _parse_class(self, cell: str) -> str | None:
        if (name := self._classes.get(cell.casefold())) is None:
            with contextlib.suppress(KeyError):
                name = self._classes[str(self._match_class(cell)).casefold()]
        return name

    def _parse_number(self, cell: str) -> float | None:
        spec = self.model.spec
        numbers = readings(simplify_number(cell, spec.target_unit, original(spec).target_unit))
        sign = "," if "," in self.layout.decimal_signs.values() else "."
        text = numbers.get(sign) or (next(iter(numbers.values())) if len(numbers) == 1 else None)
        return None if text is None else float(text)

    def is_wrong(self, position: int) -> bool:
        """Return True if a row has another true class than the predicted one."""
        return position in self.truth and self.truth[position] != str(self.prediction(position))

    def error(self, position: int) -> float | None:
        """Return how far the prediction for a row is from its true number; None if that is unknown."""
        return abs(self.prediction(position) - self.truth[position]) if position in self.truth else None
