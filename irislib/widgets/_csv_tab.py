"""A visitor's whole table: received in parts, looked at, and predicted slice by slice."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from irislib._common.messages import TEXTS
from irislib._modeling import csv_files
from irislib.errors import Problem, ValidationError
from irislib.widgets import _html

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["TABLE_BYTES", "CsvTab"]

TABLE_BYTES = 20_000_000
SLICE = 4_000  # rows, so that a slice takes a fraction of a second and others are heard in between
PREVIEW = 5
TOLD = 50  # problems on the page; the result holds all


class CsvTab:
    """The state of one visitor's table. Its methods answer the questions of the page's script."""

    def __init__(self, model: Model):
        self.model = model
        self.forget()

    def forget(self) -> None:
        """Let go of what was sent."""
        self.name = ""
        self.upload: Any = None
        self.content = bytearray()
        self.sheet: csv_files.CsvLayout | None = None
        self.rows: list[list[str]] = []
        self.answers: list[tuple[Any, ...]] = []
        self.problems: list[Problem] = []

    def begin(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """A new file is coming; what belongs to the one before is not heard any more."""
        self.forget()
        self.name = str(question["name"])
        self.upload = question["upload"]
        return {}

    def is_gone(self, question: Mapping[str, Any]) -> bool:
        """Whether a question is about another file than the last one."""
        return bool(question["upload"] != self.upload)

    def part(self, question: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        """The next part of the file."""
        if self.is_gone(question):
            return {"failed": TEXTS["table_gone"]}
        self.content += buffers[0]
        if len(self.content) > TABLE_BYTES:
            limit = TABLE_BYTES // 1_000_000
            words = TEXTS["table_too_big"].format(name=self.name, size=f"over {limit}", limit=limit)
            self.forget()
            return {"failed": words}
        return {}

    def read(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """The file is complete: what it looks like, or what is wrong with it as a whole."""
        if self.is_gone(question):
            return {"failed": TEXTS["table_gone"]}
        spec = self.model.spec
        file = io.BytesIO(self.content)
        try:
            sheet = csv_files.read_layout(file, spec.features)
            rows = list(csv_files.read_rows(file, sheet, spec.max_rows))
        except ValidationError as error:
            self.forget()
            return {"html": Markup("").join(_html.paragraph(p.message, "message") for p in error.problems)}
        finally:
            self.content = bytearray()
        self.sheet, self.rows, self.answers, self.problems = sheet, rows, [], []
        total = self.total
        words = TEXTS["table_rows" if total <= PREVIEW else "table_rows_first"]
        lines = [words.format(name=self.name, total=f"{total:,}", shown=PREVIEW)]
        if sheet.unused:
            lines.append(TEXTS["table_unused"].format(columns=", ".join(sheet.unused)))
        for feature in spec.features:
            if feature.name not in sheet.places:
                lines.append(TEXTS["table_empty_column"].format(name=feature.name))
        html = _html.html([*lines, self._preview(sheet)])
        return {"html": html, "total": len(rows), "said": lines[0]}

    @property
    def total(self) -> int:
        """How many rows there are to predict, without empty lines."""
        return sum(map(bool, self.rows))

    def _preview(self, sheet: csv_files.CsvLayout) -> Markup:
        import pandas as pd

        rows = [[*row, *[""] * len(sheet.header)][: len(sheet.header)] for row in self.rows[:PREVIEW]]
        return _html.table(pd.DataFrame(rows, columns=sheet.header))

    def slice(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Predict the next rows."""
        start = int(question["start"])
        if self.is_gone(question) or self.sheet is None or start > len(self.answers):
            return {"failed": TEXTS["table_gone"]}
        if start == 0:
            self.answers, self.problems = [], []
        if start == len(self.answers):
            rows = self.rows[start : start + SLICE]
            answers = csv_files.predict_csv_rows(self.model, self.sheet, rows, start)
            self.answers += csv_files.result_cells(answers, len(rows))
            self.problems += itertools.chain.from_iterable(answers.problems.values())
        return {"done": len(self.answers)}

    def result(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """All rows are predicted: how many could be, and what is wrong with the others."""
        import pandas as pd

        if self.is_gone(question) or self.sheet is None:
            return {"failed": TEXTS["table_gone"]}
        total, bad = self.total, len({problem.row for problem in self.problems})
        pieces: list[Any] = [TEXTS["table_done"].format(good=f"{total - bad:,}", total=f"{total:,}")]
        said = pieces[0]
        if bad:
            pieces.append(TEXTS["table_problems"].format(bad=f"{bad:,}"))
            told = [
                {
                    TEXTS["table_line"]: str(self.sheet.first_line + (problem.row or 0)),
                    TEXTS["table_problem"]: problem.message,  # it begins with the column's name
                }
                for problem in self.problems[:TOLD]
            ]
            pieces.append(pd.DataFrame(told))
            if (more := len(self.problems) - TOLD) > 0:
                pieces.append(TEXTS["table_more_problems"].format(more=f"{more:,}"))
        if total > bad:
            pieces += [TEXTS["table_first"], self._first_answers(self.sheet)]
        return {"html": _html.html(pieces), "said": said}

    def _first_answers(self, sheet: csv_files.CsvLayout) -> Markup:
        import pandas as pd

        good = [i for i, answer in enumerate(self.answers) if self.rows[i] and not answer[-1]][:PREVIEW]
        # warnings and problems are sentences, told above or in the result
        rows = [[*self.answers[i][:-2], *self.rows[i]] for i in good]
        names = csv_files.result_columns(self.model, sheet)
        lines = pd.Index([str(sheet.first_line + i) for i in good], name=TEXTS["table_line"])
        return _html.table(pd.DataFrame(rows, columns=[*names[:-2], *sheet.header], index=lines))

    def parcel(self) -> tuple[str, bytes] | None:
        """The result as a file: its name and its content; None where there is none any more."""
        if self.sheet is None or len(self.answers) < len(self.rows):
            return None
        stem = self.name.rpartition(".")[0] or self.name or self.model.spec.name
        rows = csv_files.write_csv(self.sheet, self.rows, self.answers)
        return f"{stem}-predicted.csv", csv_files.write_header(self.model, self.sheet) + rows

    def template(self) -> tuple[str, bytes]:
        """A file to fill in: its name and its content."""
        spec = self.model.spec
        rows = [*spec.examples.values()] or [{f.name: f.default for f in spec.features if f.default is not None}]
        return f"{spec.name}-template.csv", csv_files.csv_template(spec.features, rows)
