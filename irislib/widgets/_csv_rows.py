"""The rows of a predicted table that a page shows: some of those that a visitor picks, in an order of their choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from irislib._common.formatting import format_count, format_share, format_value
from irislib._common.language import column_label
from irislib._common.messages import TEXTS
from irislib._modeling import csv_results
from irislib._modeling.prediction import SURE
from irislib.widgets._blocks import Html, Table
from irislib.widgets._csv_summary import MAX_CLASSES

if TYPE_CHECKING:
    from irislib.widgets._predicted_table import PredictedTable

__all__ = ["first_rows", "row_filters", "row_orders"]

RESULT_ROWS = 100  # on the page; the result has all
WARNED = Markup('<span title="{0}"><span aria-hidden="true">⚠</span><span class="irislib-away">{0}</span></span>')
REASON = Markup('<span class="irislib-reason">{}</span>')
FAILED = "failed"  # the key of the filter of rows without a prediction
CLASS = "class "  # before a class in the key of its filter
FILTERS = {
    "": "table_show_all",
    "warned": "table_show_warned",
    "wrong": "table_show_wrong",
    FAILED: "table_show_failed",
    "unsure": "table_show_unsure",
}
ORDERS = {
    "": "table_order_file",
    "unsure": "table_order_unsure",
    "highest": "table_order_highest",
    "lowest": "table_order_lowest",
    "furthest": "table_order_furthest",
}

Test = Callable[[int], bool]


def row_filters(table: PredictedTable) -> list[tuple[str, str]]:
    """Return the key and the text of each filter of rows that leaves some of them."""
    counts = {key: sum(map(test, table.predicted)) for key, test in _tests(table).items()} | {FAILED: len(table.failed)}
    filters = [
        (key, TEXTS[FILTERS[key]].format(count=format_count(count), limit=format_share(SURE)))
        for key, count in counts.items()
        if count
    ]
    classes = [] if table.model.classes is None else table.class_counts.most_common(MAX_CLASSES)
    return filters + [
        (f"{CLASS}{label}", TEXTS["table_show_class"].format(label=label, count=format_count(count)))
        for label, count in classes
    ]


def _tests(table: PredictedTable) -> dict[str, Test]:
    """Return what a row has to pass, by the keys of the filters other than those of the classes."""
    tests: dict[str, Test] = {"": lambda _: True, "warned": table.has_warning}
    if table.model.classes is not None:
        tests["wrong"] = table.is_wrong
    if table.model.has_probabilities:
        tests["unsure"] = lambda i: table.probability(i) < SURE
    return tests


def _test(table: PredictedTable, key: str) -> Test:
    if key.startswith(CLASS):
        return lambda i: str(table.prediction(i)) == key.removeprefix(CLASS)
    return _tests(table)[key]


def row_orders(table: PredictedTable) -> list[tuple[str, str]]:
    """Return the key and the text of each order of rows."""
    return [(key, TEXTS[ORDERS[key]]) for key in _sort_keys(table)]


def _sort_keys(table: PredictedTable) -> dict[str, Callable[[int], float]]:
    """Return what rows are sorted by, the smallest first."""
    keys: dict[str, Callable[[int], float]] = {"": float}
    if table.model.has_probabilities:
        keys["unsure"] = table.probability
    if table.model.classes is None:
        keys |= {"highest": lambda i: -table.prediction(i), "lowest": table.prediction}
        if table.truth:
            keys["furthest"] = lambda i: math.inf if (error := table.error(i)) is None else -error
    return keys


def first_rows(table: PredictedTable, filter_key: str = "", order: str = "") -> list[Any]:
    """Return a sentence and the first rows that pass a filter, in an order.

    Raises
    ------
    KeyError
        If there is no such filter or order for this table.
    """
    import pandas as pd

    if filter_key == FAILED:
        positions, names = table.failed, [TEXTS["table_problem"]]
        first = positions[:RESULT_ROWS]
        added = [[Html(REASON.format(table.results[i][-1]))] for i in first]
    else:
        positions = sorted(filter(_test(table, filter_key), table.predicted), key=_sort_keys(table)[order])
        first, names = positions[:RESULT_ROWS], _names(table)
        added = [_cells(table, i, is_spelt_out=filter_key == "warned") for i in first]
    rows = [[*cells, *_file_cells(table, i)] for i, cells in zip(first, added, strict=True)]
    lines = pd.Index([str(table.layout.first_line + i) for i in first], name=TEXTS["table_line"])
    frame = pd.DataFrame(rows, columns=[*names, *table.layout.header], index=lines, dtype=object)
    key = "table_first" if len(first) < len(positions) else "table_these"
    sentence = TEXTS[key].format(shown=format_count(len(first)), total=format_count(len(positions)))
    return [sentence, Table(frame, is_sortable=True, has_own_names=True)]


def _names(table: PredictedTable) -> list[str]:
    """Return the names of the added columns: those of the result without the problems, and the true column's."""
    prediction, *shares, warnings, _ = csv_results.result_columns(table.model, table.layout)
    truth = [TEXTS["table_off_by" if table.model.classes is None else "table_is_right"]] if table.truth else []
    return [column_label(prediction), *truth, column_label(warnings), *map(column_label, shares)]


def _file_cells(table: PredictedTable, position: int) -> list[str]:
    """Return the cells of a row as the file has them, one for each column."""
    row, width = table.rows[position], len(table.layout.header)
    return table.layout.fit(row) or [*row, *[""] * width][:width]


def _cells(table: PredictedTable, position: int, is_spelt_out: bool) -> list[Any]:
    """Return a prediction, if it is right, its warnings or a mark for them, and its probabilities in percent."""
    prediction, *shares, warnings, _ = table.results[position]
    truth = [_truth(table, position)] if table.truth else []
    return [prediction, *truth, _reason(warnings, is_spelt_out), *map(format_share, shares)]


def _reason(warnings: str, is_spelt_out: bool) -> Any:
    """Return warnings, or a mark that shows them under the pointer, and that screen readers read out."""
    return Html((REASON if is_spelt_out else WARNED).format(warnings)) if warnings else ""


def _truth(table: PredictedTable, position: int) -> str:
    if position not in table.truth:
        return ""
    if table.model.classes is None:
        return format_value(table.error(position), 3)
    return TEXTS["table_is_wrong" if table.is_wrong(position) else "table_yes"]
