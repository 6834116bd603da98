"""The names of columns: one line each, none empty, none twice."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import join_words
from irislib._common.messages.tables import NOTES
from irislib._project.table_code import literal

if TYPE_CHECKING:
    import pandas as pd

    from irislib._project.table_code import TableCode

__all__ = ["mend_names"]


def mend_names(code: TableCode, data: pd.DataFrame) -> pd.DataFrame:
    """Give each column a name of words with one space between them, by lines of the code."""
    lines: list[str] = []
    unnamed = [column for column in data.columns if re.fullmatch(r"Unnamed: \d+(_level_\d+)?", str(column))]
    empty = [column for column in unnamed if data[column].isna().all()]
    if empty:
        lines.append(f"data = data.drop(columns={literal(empty)})")
        code.notes.append(NOTES["empty_columns"])
    if names := {column: _number(column, data.columns) for column in unnamed if column not in empty}:
        lines.append(f"data = data.rename(columns={literal(names)})")
        places = join_words([str(int(str(column).split()[1]) + 1) for column in names])
        code.notes.append(NOTES["unnamed"].format(places=places, names=join_words([*names.values()])))
    rest = [names.get(column, column) for column in data.columns if column not in empty]
    lines += _spaces(code, rest)
    return code.apply(data, lines) if lines else data


def _number(column: Any, taken: Any) -> str:
    name = f"column_{int(str(column).split()[1]) + 1}"
    while name in taken:
        name += "_"
    return name


def _spaces(code: TableCode, names: list[Any]) -> list[str]:
    """Return the lines that make texts of all names, with one space between words."""
    lines = []
    if not all(isinstance(name, str) for name in names):
        lines.append("data.columns = data.columns.astype(str)")
    texts = [str(name) for name in names]
    plain = [" ".join(text.lstrip("# ").split()) for text in texts]
    wrong = [text for text, name in zip(texts, plain, strict=True) if text != name]
    if not wrong:
        return lines
    code.notes.append(NOTES["names"].format(name=wrong[0]))
    if any(text.startswith("#") for text in texts):
        lines.append('data.columns = data.columns.str.lstrip("# ")')
    counts = Counter(plain)
    if max(counts.values()) == 1 and "" not in counts:
        if [" ".join(text.split()) for text in texts] != [text.lstrip("# ") for text in texts]:
            lines.append('data.columns = data.columns.str.split().str.join(" ")')
        return lines
    return [f"data.columns = {literal(_different(plain))}"]


def _different(names: list[str]) -> list[str]:
    unique: list[str] = []
    for i, name in enumerate(names, 1):
        text = name or f"column_{i}"
        number = 2
        while text in unique:
            text, number = f"{name} {number}", number + 1
        unique.append(text)
    return unique
