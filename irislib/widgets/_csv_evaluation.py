"""The insights about a model's performance, for a visitor's table that has the true values."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib import insights
from irislib._common.formatting import format_count, shorten_list
from irislib._common.messages import TEXTS
from irislib._modeling import csv_predictions
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import needs_row
from irislib.widgets._blocks import Block, Job, Paragraph
from irislib.widgets._insight_list import add_insight

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.widgets._predicted_table import PredictedTable

__all__ = ["evaluation_jobs"]

MIN_ROWS = 10  # fewer say nothing about a model
MAX_ROWS = 20_000  # more take long and say no more
COMPARED = (insights.confusion_matrix, insights.predicted_against_true)  # by the cards about every table


def evaluation_jobs(table: PredictedTable) -> list[Block]:
    """Return the job that evaluates the model on a table, a sentence if too few rows have a true value, or nothing."""
    if not table.true_column or not table.predicted:
        return []
    if not table.truth:
        key = "table_no_true_number" if table.model.classes is None else "table_no_true_class"
        classes = shorten_list([str(label) for label in table.model.classes or ()])
        return [Paragraph(TEXTS[key].format(name=table.true_column, classes=classes))]
    count = format_count(len(table.truth))
    if len(table.truth) < MIN_ROWS:
        return [Paragraph(TEXTS["table_too_few_true"].format(count=count, least=MIN_ROWS))]
    text = TEXTS["table_performance_text"].format(count=count)
    return [Job("table-performance", TEXTS["table_performance"], lambda: _steps(table), text)]


def _steps(table: PredictedTable) -> Generator[float, None, list[Any]]:
    import numpy as np

    positions = list(table.truth)
    if len(positions) > MAX_ROWS:
        positions = sorted(np.random.default_rng(0).choice(positions, MAX_ROWS, replace=False).tolist())
    rows = [table.layout.fit(table.rows[i]) or [] for i in positions]
    frame, _ = csv_predictions.check_rows(table.model, table.layout, rows)
    model = table.model.evaluated_on(frame, [table.truth[i] for i in positions])
    key = "table_performance_rows" if len(rows) == len(table.truth) else "table_performance_sample"
    content: list[Any] = [TEXTS[key].format(count=format_count(len(rows)), total=format_count(len(table.truth)))]
    functions = _functions(table.model)
    for done, function in enumerate(functions, 1):
        yield done / (len(functions) + 1)
        add_insight(function, content, partial(function, model))
    return content


def _functions(model: Model) -> list[Callable[..., Any]]:
    """Return the insights of the tab about performance that are at hand at once and about no single row."""
    title, tabs = TEXTS["performance"], model.spec.tabs
    functions = tabs.get(TEXTS.english["performance"]) or tabs.get(title) or insights.default_tabs(model)[title]
    chosen = (function for function in functions if not isinstance(function, LongRunning) and not needs_row(function))
    return [function for function in chosen if function not in COMPARED]
