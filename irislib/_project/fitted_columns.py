"""Facts about the columns of a fitted estimator, from its parts: categories, ranges, thresholds and means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from irislib._description.values import is_empty, to_python
from irislib._project.fitted_thresholds import thresholds_by_position

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ColumnFacts", "columns_of_estimator"]


@dataclass(frozen=True)
class ColumnFacts:
    """Facts about a column, from a fitted estimator.

    Attributes
    ----------
    categories : tuple
        All values that an encoder knows; empty if none does.
    about : str
        Which of the following the numbers are, a key of messages: ``mean``, ``range`` or ``thresholds``.
    low, high, typical : float or None
    is_text : bool
        Its words are counted.
    is_optional : bool
        An imputer fills its gaps.
    is_category : bool
        It was a pandas Categorical.
    """

    categories: tuple[Any, ...] = ()
    about: str = ""
    low: float | None = None
    high: float | None = None
    typical: float | None = None
    is_text: bool = False
    is_optional: bool = False
    is_category: bool = False


Facts = dict[Any, ColumnFacts]


def columns_of_estimator(estimator: Any, columns: Sequence[Any]) -> Facts:
    """Return what an estimator says of its columns; nothing of those it is silent about.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    columns : sequence
        The names of its columns, in order.
    """
    facts: Facts = {}
    # it is a help for a draft: what other estimators have by the same names says nothing
    with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
        _visit(estimator, dict(enumerate(columns)), facts)
    return facts


def _visit(part: Any, places: Mapping[int, Any], facts: Facts) -> dict[int, Any]:
    """Note what a part says of columns; return which of them it passes on as they are, by their new positions."""
    if hasattr(part, "best_estimator_"):
        return _visit(part.best_estimator_, places, facts)
    if getattr(part, "steps", None):
        for _, step in part.steps:
            places = _visit(step, places, facts)
        return dict(places)
    if hasattr(part, "transformers_"):
        return _visit_columns(part, places, facts)
    if isinstance(part, str) or part is None or _is_identity(part):
        return dict(places)
    if getattr(part, "_preprocessor", None) is not None:  # of histogram gradient boosting with categories
        _visit(part._preprocessor, places, facts)
        for column in places.values():
            if column in facts and facts[column].categories:
                facts[column] = replace(facts[column], is_category=True)
        return {}
    for attribute, note in NOTES.items():
        if (value := getattr(part, attribute, None)) is not None:
            note(part, value, places, facts)
    for position, values in thresholds_by_position(part).items():
        if position in places:
            _note_numbers("thresholds", values, places[position], facts)
    keeps = hasattr(part, "statistics_") and not getattr(part, "add_indicator", False)
    return dict(places) if keeps else {}


def _is_identity(part: Any) -> bool:
    return type(part).__name__ == "FunctionTransformer" and part.func is None


def _visit_columns(part: Any, places: Mapping[int, Any], facts: Facts) -> dict[int, Any]:
    columns = list(places.values())
    passed: dict[int, Any] = {}
    for name, transformer, chosen in part.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        own = dict(enumerate(_chosen(chosen, columns)))
        same = _visit(transformer, own, facts)
        start = part.output_indices_[name].start or 0
        if same and len(same) == part.output_indices_[name].stop - start:
            passed |= {start + position: column for position, column in same.items()}
    return passed


def _chosen(chosen: Any, columns: Sequence[Any]) -> list[Any]:
    """Return the names of the columns that a part of a ColumnTransformer gets."""
    if isinstance(chosen, slice):
        ends = (columns.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        start, stop = ends
        return list(columns[start : stop + 1 if isinstance(chosen.stop, str) and stop is not None else stop])
    parts = [to_python(part) for part in ([chosen] if isinstance(chosen, str | int) else list(chosen))]
    if parts and all(isinstance(part, bool) for part in parts):
        return [column for column, is_chosen in zip(columns, parts, strict=True) if is_chosen]
    return [columns[part] if isinstance(part, int) and part not in columns else part for part in parts]


def _note(column: Any, facts: Facts, **values: Any) -> None:
    """Add to what is known of a column; what was noted first stays."""
    former = facts.get(column, ColumnFacts())
    facts[column] = replace(former, **{k: v for k, v in values.items() if getattr(former, k) in ((), "", None, False)})


def _note_numbers(about: str, values: Any, column: Any, facts: Facts) -> None:
    import numpy as np

    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers) or (column in facts and facts[column].about):
        return
    _note(column, facts, about=about, typical=float(np.median(numbers)))
    if about != "mean":
        _note(column, facts, low=float(numbers.min()), high=float(numbers.max()))


def _note_categories(_: Any, categories: Any, places: Mapping[int, Any], facts: Facts) -> None:
    if isinstance(categories, list) and len(categories) == len(places):
        for column, values in zip(places.values(), categories, strict=True):
            known = tuple(to_python(value) for value in values if not is_empty(to_python(value)))
            has_gap = len(known) < len(values)
            _note(column, facts, categories=known, is_optional=has_gap)


def _note_statistics(_: Any, statistics: Any, places: Mapping[int, Any], facts: Facts) -> None:
    for position, column in places.items():
        value = to_python(statistics[position]) if position < len(statistics) else None
        _note(column, facts, is_optional=True)
        if isinstance(value, int | float):
            _note_numbers("mean", [value], column, facts)


def _note_array(about: str) -> Callable[..., None]:
    """Return the function that notes an array of shape (n_columns,), or (n_values, n_columns)."""

    def note(_: Any, values: Any, places: Mapping[int, Any], facts: Facts) -> None:
        import numpy as np

        array = np.atleast_2d(np.asarray(values, dtype=float))
        for position, column in places.items():
            if position < array.shape[1]:
                _note_numbers(about, array[:, position], column, facts)

    return note


def _note_range(part: Any, lows: np.ndarray, places: Mapping[int, Any], facts: Facts) -> None:
    import numpy as np

    _note_array("range")(part, np.stack([lows, part.data_max_]), places, facts)


def _note_rows(part: Any, rows: Any, places: Mapping[int, Any], facts: Facts) -> None:
    if getattr(rows, "ndim", 0) == 2 and hasattr(rows, "min") and not hasattr(rows, "toarray"):
        _note_array("range")(part, rows, places, facts)


def _note_words(_: Any, __: Any, places: Mapping[int, Any], facts: Facts) -> None:
    for column in places.values():
        _note(column, facts, is_text=True)


# By the attribute that a fitted part has.
NOTES: dict[str, Callable[[Any, Any, Mapping[int, Any], Facts], None]] = {
    "categories_": _note_categories,
    "vocabulary_": _note_words,
    "statistics_": _note_statistics,
    "data_min_": _note_range,
    "quantiles_": _note_array("range"),
    "mean_": _note_array("mean"),
    "center_": _note_array("mean"),
    "theta_": _note_array("mean"),
    "_fit_X": _note_rows,
    "support_vectors_": _note_rows,
}
