"""A visitor's CSV file: received in parts, previewed, and predicted slice by slice."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_count, shorten_list
from irislib._common.messages import TEXTS
from irislib._modeling import csv_layout, csv_predictions, csv_results, csv_rows
from irislib._modeling.csv_text import BOM, is_comment
from irislib._modeling.spreadsheet_safety import mark_formulas, unmark
from irislib._modeling.table_files import KINDS, to_csv
from irislib.errors import Problem, ValidationError
from irislib.widgets._blocks import Block, Paragraph, Table
from irislib.widgets._csv_evaluation import evaluation_jobs
from irislib.widgets._csv_rows import first_rows, row_filters, row_orders
from irislib.widgets._csv_summary import summarize_rows
from irislib.widgets._html import render, render_pieces
from irislib.widgets._jobs import JobList
from irislib.widgets._predicted_table import PredictedTable, find_true_column

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["MAX_FILE_BYTES", "CsvTab", "kinds_text"]

MAX_FILE_BYTES = 20_000_000
SLICE_ROWS = 4_000  # a slice takes a fraction of a second, so that other requests are handled in between
PREVIEW_ROWS = 5
MAX_PROBLEMS = 5  # above the cards; the result has all, and the rows below those of the first rows


def kinds_text() -> str:
    """Return the kinds of file whose readers are installed, as a list in words."""
    *names, last = ["CSV", *(kind.title for kind in KINDS if kind.is_readable)]
    return TEXTS["table_kinds"].format(names=", ".join(names), last=last) if names else last


class CsvTab:
    """The file of one visitor and its predictions.

    Parameters
    ----------
    model : Model
    jobs : JobList
        Those of the page.
    """

    def __init__(self, model: Model, jobs: JobList):
        self.model, self.jobs = model, jobs
        self.clear()

    def clear(self) -> None:
        """Drop the file."""
        self.name = ""
        self.upload: Any = None
        self.content = bytearray()
        self.layout: csv_layout.CsvLayout | None = None
        self.rows: list[list[str]] = []
        self.results: list[tuple[Any, ...]] = []
        self.problems: list[Problem] = []
        self.table: PredictedTable | None = None
        self.cards: list[Block] = []

    def handlers(self) -> dict[str, Callable[[Mapping[str, Any], Sequence[Any]], dict[str, Any]]]:
        """Return the handlers of the page script's requests, by their methods."""
        return {
            "begin_csv": self.handle_begin,
            "append_csv": self.handle_part,
            "read_csv": self.handle_read,
            "predict_csv": self.handle_slice,
            "finish_csv": self.handle_finish,
            "csv_rows": self.handle_rows,
        }

    def handle_begin(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Begin a new file; requests about the one before fail from now on."""
        self.clear()
        self.name = str(request["name"])
        self.upload = request["upload"]
        return {}

    def _is_stale(self, request: Mapping[str, Any]) -> bool:
        """Return True if a request is about another file than the latest."""
        return bool(request["upload"] != self.upload)

    def handle_part(self, request: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        """Append the next part of the file."""
        if self._is_stale(request):
            return {"error": TEXTS["table_gone"]}
        self.content += buffers[0]
        if len(self.content) > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1_000_000
            message = TEXTS["table_above_limit"].format(name=self.name, limit=limit)
            self.clear()
            return {"error": message}
        return {}

    def handle_read(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Read the complete file: return a preview, or the problems of the file as a whole."""
        if self._is_stale(request):
            return {"error": TEXTS["table_gone"]}
        spec = self.model.spec
        try:
            content, sheet = to_csv(bytes(self.content), spec.features, spec.max_rows)
            file = io.BytesIO(content)
            layout = csv_layout.read_layout(file, spec.features)
            rows = [list(map(unmark, row)) for row in csv_rows.read_rows(file, layout, spec.max_rows)]
        except ValidationError as error:
            self.clear()
            return {"html": render([Paragraph(p.message, "message") for p in error.problems])}
        finally:
            self.content = bytearray()
        self.layout, self.rows, self.results, self.problems = layout, rows, [], []
        self.table, self.cards = None, []
        total = self.total
        template = TEXTS["table_rows" if total <= PREVIEW_ROWS else "table_rows_first"]
        name = TEXTS["table_sheet"].format(name=self.name, sheet=sheet) if sheet else self.name
        lines = [template.format(name=name, total=format_count(total), shown=PREVIEW_ROWS)]
        if layout.encoding == "cp1252":  # which no mark says
            lines.append(TEXTS["table_windows"])
        true = find_true_column(spec, layout.header)
        unused = [name for name in layout.unused if true is None or name != layout.header[true]]
        if true is not None:
            lines.append(TEXTS["table_has_true"].format(column=layout.header[true]))
        if unused:
            lines.append(TEXTS["table_unused"].format(columns=shorten_list(unused)))
        for feature in spec.features:
            if feature.name not in layout.columns:
                lines.append(TEXTS["table_empty_column"].format(name=feature.name))
        html = render_pieces([*lines, self._preview(layout)])
        return {"html": html, "total": len(rows), "announcement": lines[0]}

    @property
    def total(self) -> int:
        """The number of rows to predict, without empty lines and comments."""
        width = len(self.layout.header) if self.layout else 0
        return sum(bool(row) and not is_comment(row, width) for row in self.rows)

    def _preview(self, layout: csv_layout.CsvLayout) -> Block:
        import pandas as pd

        rows = [[*row, *[""] * len(layout.header)][: len(layout.header)] for row in self.rows[:PREVIEW_ROWS]]
        return Table(pd.DataFrame(rows, columns=layout.header), has_own_names=True)

    def handle_slice(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Predict the next rows."""
        start = int(request["start"])
        if self._is_stale(request) or self.layout is None or start > len(self.results):
            return {"error": TEXTS["table_gone"]}
        if start == 0:
            self.results, self.problems = [], []
        if start == len(self.results):
            rows = self.rows[start : start + SLICE_ROWS]
            predictions = csv_predictions.predict_csv_rows(self.model, self.layout, rows, start)
            self.results += csv_results.result_cells(predictions, len(rows))
            self.problems += itertools.chain.from_iterable(predictions.problems.values())
        return {"done": len(self.results)}

    def handle_finish(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the number of predicted rows and the problems of the others."""
        if self._is_stale(request) or self.layout is None:
            return {"error": TEXTS["table_gone"]}
        total, bad = self.total, len({problem.row for problem in self.problems})
        pieces: list[Any] = [TEXTS["table_done"].format(good=format_count(total - bad), total=format_count(total))]
        announcement = pieces[0]
        if bad:
            sentence = TEXTS["table_problems"].format(bad=format_count(bad))
            pieces += _list_problems(self.model.spec.features, self.layout, self.problems, sentence)
        if warned := sum(bool(cells[-2]) for cells in self.results):
            pieces.append(TEXTS["table_warned"].format(count=format_count(warned)))
        self.table = PredictedTable(self.model, self.layout, self.rows, self.results)
        self.cards = [*summarize_rows(self.table), *evaluation_jobs(self.table)]
        self.jobs.register(self.cards)
        reply: dict[str, Any] = {"html": render_pieces([*pieces, *self.cards]), "announcement": announcement}
        if total:
            filters = row_filters(self.table)
            html = render_pieces(first_rows(self.table, filters[0][0]))
            reply["rows"] = {"filters": filters, "orders": row_orders(self.table), "html": html}
        return reply

    def handle_rows(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the rows that pass a filter, in an order."""
        if self._is_stale(request) or self.table is None:
            return {"error": TEXTS["table_gone"]}
        pieces = first_rows(self.table, request["filter"], request["order"])
        return {"html": render_pieces(pieces), "announcement": pieces[0]}

    def result_file(self) -> tuple[str, bytes] | None:
        """Return the name and content of the result file, or None if there is no result any more."""
        if self.layout is None or len(self.results) < len(self.rows):
            return None
        stem = self.name.rpartition(".")[0] or self.name or self.model.spec.name
        rows = csv_results.write_csv(self.layout, self.rows, self.results)
        header = csv_results.write_header(self.model, self.layout).removeprefix(BOM)
        content = BOM + header + rows  # the mark lets spreadsheets read its accents
        return f"{stem}-predicted.csv", mark_formulas(content, self.layout.delimiter)

    def template(self) -> tuple[str, bytes]:
        """Return the name and content of a file to fill in."""
        spec = self.model.spec
        rows = [*spec.examples.values()] or [{f.name: f.default for f in spec.features if f.default is not None}]
        content = BOM + csv_results.csv_template(spec.features, rows)
        return f"{spec.name}-template.csv", mark_formulas(content)


def _list_problems(
    features: Sequence[Feature], layout: csv_layout.CsvLayout, problems: Sequence[Problem], sentence: str
) -> list[Any]:
    """Return a sentence about the problems of a file and a table of the first of them, as the form names them."""
    import pandas as pd

    labels = {feature.name: feature.label for feature in features}
    rows = [
        {
            TEXTS["table_line"]: str(layout.first_line + (problem.row or 0)),
            TEXTS["table_problem"]: problem.labelled(labels.get(problem.feature or "", problem.feature or "")),
        }
        for problem in problems[:MAX_PROBLEMS]
    ]
    blocks: list[Block] = [Table(pd.DataFrame(rows))]
    if (more := len(problems) - MAX_PROBLEMS) > 0:
        blocks.append(Paragraph(TEXTS["table_more_problems"].format(more=format_count(more))))
    return [sentence, *blocks]
