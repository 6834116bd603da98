"""New rows with their target from a file, checked row by row."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import shorten_list
from irislib._common.messages import TEXTS as TABLES
from irislib._common.messages.refresh import TEXTS
from irislib._description.class_names import class_matcher
from irislib._description.feature import Feature
from irislib._description.values import means_missing, to_python
from irislib._modeling.csv_layout import find_columns, read_layout
from irislib._modeling.csv_predictions import check_rows
from irislib._modeling.csv_rows import read_rows
from irislib._modeling.csv_text import is_comment
from irislib._modeling.table_files import to_csv
from irislib.errors import DataError, Problem, ValidationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._modeling.csv_layout import CsvLayout
    from irislib._modeling.model import Model

__all__ = ["RowsError", "read_new_rows"]

MOST_ROWS = 100_000_000
MOST_BYTES = 20_000_000_000
TARGET = "\0"  # begins the name of a regressor's target while it is read as a feature: no column of a file has it
MOST_PROBLEMS = 20  # that a message lists
CHUNK_ROWS = 20_000  # that are checked between two reports


class RowsError(DataError):
    """Rows that are not valid.

    Attributes
    ----------
    listed : tuple of dict
        The first of them: ``row``, as a spreadsheet numbers it, ``feature`` and ``message``.
    count : int
    """

    def __init__(self, message: str, listed: Sequence[dict[str, Any]], count: int):
        super().__init__(message)
        self.listed, self.count = tuple(listed), count


def read_new_rows(
    spec: ModelSpec,
    former: Model,
    path: Path,
    skip_bad_rows: bool = False,
    title: str = "",
    report: Callable[[float], Any] = lambda done: None,
) -> tuple[pd.DataFrame, np.ndarray, str]:
    """Return the features and the target of a CSV, Parquet or Excel file, of a classifier as codes.

    Parameters
    ----------
    spec : ModelSpec
    former : Model
        Its classes are known; others are new if classes are texts without codes.
    path : Path
    skip_bad_rows : bool
        Leave out rows that are not valid, instead of an error.
    title : str
        The name of the file in messages; its path if left out.
    report : callable, optional
        Called with the part of the rows that is read and checked.

    Returns
    -------
    tuple of DataFrame, ndarray and str
        The last one says which rows were left out, if any were.

    Raises
    ------
    DataError
        If it cannot be read, or has no target.
    RowsError
        With the problems of the rows, by their numbers in a spreadsheet.
    """
    import numpy as np

    is_class, named = former.classes is not None, title or str(path)
    target_feature = Feature(
        f"{TARGET}{spec.target}", "text" if is_class else "number", label=spec.target, column=spec.target,
        required=not is_class,
    )  # fmt: skip
    features = [*spec.features] if is_class else [*spec.features, target_feature]
    table = SimpleNamespace(spec=SimpleNamespace(features=features))
    try:
        content, _ = to_csv(path.read_bytes(), features, MOST_ROWS, MOST_BYTES)
        layout = read_layout(io.BytesIO(content), features)
        position = find_columns(layout.header, [target_feature]).get(target_feature.name)
        numbered = _filled(layout, read_rows(io.BytesIO(content), layout))
    except OSError as error:
        raise DataError(TEXTS["file.missing"].format(file=named, error=error.strerror or error)) from error
    except ValidationError as error:
        raise DataError(TEXTS["file.missing"].format(file=named, error=str(error).replace(TARGET, ""))) from error
    if position is None or position in (layout.columns.get(name) for name in spec.feature_names):
        columns = shorten_list(layout.header)
        raise DataError(TEXTS["file.target"].format(file=named, target=spec.target, columns=columns))
    numbers, rows = [*numbered], [*numbered.values()]
    full = [layout.fit(row) or [""] * len(layout.header) for row in rows]
    report(0.3)
    frame, problems = _check(table, layout, full, lambda done: report(0.3 + 0.7 * done))
    faults: dict[int, tuple[str | None, str]] = {
        i: (None, _widths(layout, row)) for i, row in enumerate(rows) if layout.fit(row) is None
    }
    for problem in problems:
        feature = problem.feature and problem.feature.removeprefix(TARGET)
        faults.setdefault(problem.row or 0, (feature, problem.message.replace(TARGET, "")))
    if is_class:
        labels = [row[position].strip() for row in full]
        codes, unknown = _codes(spec, former, labels)
        for i, message in unknown.items():
            faults.setdefault(i, (spec.target, message))
        target = np.array(codes, dtype=object)
    else:
        target = frame[spec.target].to_numpy()
    good = [i for i in range(len(rows)) if i not in faults]
    by_number = {layout.first_line + numbers[i]: fault for i, fault in sorted(faults.items())}
    note = _describe(title or path.name, by_number, len(rows), skip_bad_rows) if faults else ""
    if faults:
        frame, _ = _check(table, layout, [full[i] for i in good])
    return frame[spec.columns], target[good], note


def _check(
    table: Any, layout: CsvLayout, rows: list[list[str]], report: Callable[[float], Any] = lambda done: None
) -> tuple[pd.DataFrame, list[Problem]]:
    """Check rows in parts, as :func:`check_rows` does; of the model, the features are all it takes."""
    import pandas as pd

    frames, problems = [], []
    for start in range(0, max(len(rows), 1), CHUNK_ROWS):
        part = rows[start : start + CHUNK_ROWS]
        frame, problems_here = check_rows(table, layout, part)
        frames.append(frame)
        problems += [replace(problem, row=start + (problem.row or 0)) for problem in problems_here]
        report((start + len(part)) / max(len(rows), 1))
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True), problems


def _filled(layout: CsvLayout, rows: Iterable[list[str]]) -> dict[int, list[str]]:
    """Return the rows by their positions, without empty lines and comments.

    Raises
    ------
    ValidationError
        If none remains.
    """
    width = len(layout.header)
    filled = {i: row for i, row in enumerate(rows) if row and not is_comment(row, width)}
    if not filled:
        raise ValidationError([Problem(TABLES["table_nothing"])])
    return filled


def _widths(layout: CsvLayout, row: list[str]) -> str:
    return TEXTS["file.cells"].format(count=len(row), width=len(layout.header))


def _codes(spec: ModelSpec, former: Model, labels: list[str]) -> tuple[list[Any], dict[int, str]]:
    """Return the class of each text as the estimator is trained on it, and what is wrong with others."""
    names = {str(code): code for code in getattr(former.estimator, "classes_", ())}
    names |= {key: to_python(code) for key, code in names.items()}
    names |= {str(code): code for code in spec.classes} | {name: code for code, name in spec.classes.items()}
    is_open = not spec.classes and all(isinstance(code, str) for code in names.values())
    known = shorten_list(list(names))
    match = class_matcher(names.values())
    for label in {*labels} - names.keys():
        with contextlib.suppress(KeyError):  # as other programs write it
            names[label] = match(label)
    wrong, codes = {}, []
    for i, label in enumerate(labels):
        codes.append(names.get(label, label))
        if not label or (label not in names and means_missing(label)):
            wrong[i] = TEXTS["file.no_class"].format(target=spec.target)
        elif label not in names and not is_open:
            wrong[i] = TEXTS["file.class"].format(target=spec.target, classes=known, value=label)
    return codes, wrong


def _describe(name: str, faults: dict[int, tuple[str | None, str]], rows: int, skip_bad_rows: bool) -> str:
    """Return which rows are left out, by their numbers in a spreadsheet; raise RowsError unless they may be."""
    listed = [
        {"row": number, "feature": feature, "message": message}
        for number, (feature, message) in itertools.islice(faults.items(), MOST_PROBLEMS)
    ]
    lines = [TEXTS["file.row"].format(row=problem["row"], message=problem["message"]) for problem in listed]
    if len(faults) > MOST_PROBLEMS:
        lines.append(TEXTS["file.more"].format(count=len(faults) - MOST_PROBLEMS))
    facts = {"count": len(faults), "rows": rows, "file": name, "problems": "\n".join(lines)}
    if not skip_bad_rows or len(faults) == rows:
        text = TEXTS["file.bad" if not skip_bad_rows else "file.no_rows"].format(**facts)
        raise RowsError(text, listed, len(faults))
    return TEXTS["file.skipped"].format(**facts)
