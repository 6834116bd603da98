"""The arguments of `pandas.read_csv` that say how values are written: numbers, codes and gaps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import join_words
from irislib._common.messages.tables import NOTES
from irislib._description.feature import Feature
from irislib._description.number_text import readings, simplify_number
from irislib._modeling.csv_numbers import MIXED, find_decimal_signs
from irislib._project.column_lines import different_texts, name_list, text_columns
from irislib._project.column_texts import gap_markers, is_gap, is_rest_numeric, known_to_pandas
from irislib._project.csv_dialect import MOSTLY, is_number
from irislib._project.csv_layout import has_index
from irislib._project.table_code import Source

if TYPE_CHECKING:
    import pandas as pd

    from irislib._project.csv_dialect import Dialect
    from irislib._project.table_code import TableCode

__all__ = ["add_codes", "add_gaps", "add_number_signs", "note_gaps", "read_all"]

GROUP_SIGNS = {".": "points", ",": "commas", " ": "spaces", "'": "apostrophes"}
SAMPLE = 200  # different values of a column
READS = 3  # of a table, at most, until nothing new is seen in it
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}([ '.,])\d{3}(?:\1\d{3})*(?!\d)")
_POINT_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_CODE = re.compile(r"0\d\d+")


def add_number_signs(code: TableCode, dialect: Dialect, names: Mapping[int, Any]) -> bool:
    """Add the decimal and the thousands sign, and return whether the file has decimal commas.

    Parameters
    ----------
    code : TableCode
    dialect : Dialect
    names : mapping of int to object
        The names of the columns by their positions in the rows.
    """
    columns = {i: [cell for cell in dialect.cells(i) if not is_gap(cell)] for i in names}
    different = {i: list(dict.fromkeys(cells))[:SAMPLE] for i, cells in columns.items()}
    numeric = [i for i, cells in different.items() if cells and sum(map(is_number, cells)) > MOSTLY * len(cells)]
    features = [Feature(f"c{i}") for i in numeric]
    rows = [row for _, row in dialect.rows]
    by_name = find_decimal_signs([rows], {f"c{i}": i for i in numeric}, features)
    signs = {int(name[1:]): sign for name, sign in by_name.items()}
    mixed = [i for i, sign in signs.items() if sign == MIXED]
    signs |= dict.fromkeys(mixed, "." if dialect.delimiter == "," else ",")
    either = [i for i in mixed if all(map(_may_be_either, different[i]))]
    commas = [i for i, sign in signs.items() if sign == ","]
    points = [i for i in numeric if i not in commas and any(re.search(r"\d\.\d", cell) for cell in columns[i])]
    sign = "," if len(commas) > len(points) or (commas and not points) else "."
    group = _group_sign([columns[i] for i in numeric if signs.get(i, ".") == sign], sign)
    if sign == ",":
        code.arguments["decimal"] = ","
        grouped = NOTES["decimal.grouped"].format(sign=GROUP_SIGNS[group]) if group else ""
        code.notes.append(NOTES["decimal"].format(grouped=grouped))
    if group:
        code.arguments["thousands"] = group
        _protect(code, {names[i]: cells for i, cells in columns.items() if i not in numeric}, group)
        if sign == ".":
            code.notes.append(NOTES["thousands"].format(sign=GROUP_SIGNS[group]))
    if dialect.delimiter == ";" and not commas:
        either += [i for i in points if all(map(_POINT_GROUP.fullmatch, different[i]))]
    if either:
        example = next(cell for cell in columns[either[0]] if "," in cell or "." in cell)
        meaning = example.replace(group, "") if group else example.replace(",", ".")
        listed = name_list(names[i] for i in either)
        code.notes.append(NOTES["either"].format(columns=listed, example=example, meaning=meaning))
    return sign == "," or (dialect.delimiter == ";" and not points)


def _may_be_either(text: str) -> bool:
    """Return whether a number has no sign, or one that may be decimal or between thousands."""
    return text.lstrip("+-").isdigit() or len(readings(simplify_number(text))) == 2


def _group_sign(columns: list[list[str]], decimal: str) -> str:
    """Return the sign that most numbers have between thousands, or nothing."""
    counts = Counter(match[1] for cells in columns for cell in cells if (match := _GROUPED.search(cell)))
    del counts[decimal]
    if decimal == "." and "." in counts:
        del counts["."]
    return max(counts, key=lambda sign: counts[sign], default="")


def _protect(code: TableCode, columns: Mapping[Any, list[str]], group: str) -> None:
    """Read columns as text from which pandas would take the sign between thousands, such as days with points."""
    allowed = re.compile(rf"[\d{re.escape(group)}.,+-]+")
    for name, cells in columns.items():
        if any(group in cell for cell in cells) and all(map(allowed.fullmatch, cells)):
            code.arguments.setdefault("dtype", {})[name] = Source("str")


def add_codes(code: TableCode, dialect: Dialect, names: Mapping[int, Any]) -> None:
    """Read whole numbers with zeros before them as text: they are codes."""
    columns, example = [], ""
    for i, name in names.items():
        cells = dialect.cells(i)
        codes = [cell for cell in cells if _CODE.fullmatch(cell)]
        if codes and all(cell.isdigit() for cell in cells):
            columns.append(name)
            example = example or codes[0]
    if columns:
        code.arguments.setdefault("dtype", {}).update(dict.fromkeys(columns, Source("str")))
        code.notes.append(NOTES["codes"].format(columns=name_list(columns), example=example))


def add_gaps(code: TableCode, dialect: Dialect, names: Mapping[int, Any]) -> None:
    """Add the texts that stand for missing values in the first rows."""
    raw = {}
    for i, name in names.items():
        cells = (row[i] for _, row in dialect.rows if i < len(row))
        raw[name] = list(dict.fromkeys(cell.lstrip() if dialect.is_spaced else cell for cell in cells))
    _add_markers(code, raw)


def find_gaps(code: TableCode, data: pd.DataFrame) -> bool:
    """Add the texts that stand for missing values in the whole table; return whether there are more of them."""
    before = code.arguments.get("na_values")
    _add_markers(code, {name: different_texts(data[name]).tolist() for name in text_columns(data)})
    return code.arguments.get("na_values") != before


def _add_markers(code: TableCode, columns: Mapping[Any, list[str]]) -> None:
    known = known_to_pandas()
    by_column = {}
    for name, values in columns.items():
        markers = [marker for marker in gap_markers(values, is_rest_numeric) if marker not in known]
        if markers:
            by_column[name] = markers
    if not by_column:
        return
    before = code.arguments.get("na_values", [])
    everywhere = {marker for markers in by_column.values() for marker in markers}
    others = {name for name, values in columns.items() if not everywhere.isdisjoint(values) and name not in by_column}
    others |= {name for name, markers in by_column.items() if everywhere.intersection(columns[name]) - set(markers)}
    if others or isinstance(before, dict):  # in other columns they are values
        own = before if isinstance(before, dict) else dict.fromkeys(columns, before) if before else {}
        code.arguments["na_values"] = {
            name: sorted({*own.get(name, []), *markers}) for name, markers in by_column.items()
        } | {name: markers for name, markers in own.items() if name not in by_column}
    else:
        code.arguments["na_values"] = sorted({*before, *everywhere})


def read_mixed_as_text(code: TableCode, data: pd.DataFrame) -> bool:
    """Read columns as text of which pandas has made numbers in some rows only; return whether there are any."""
    import pandas as pd

    objects = [name for name, dtype in data.dtypes.items() if dtype.kind == "O"]
    kinds = {name: str(pd.api.types.infer_dtype(data[name], skipna=True)) for name in objects}
    mixed = [name for name, kind in kinds.items() if kind.startswith(("mixed", "integer"))]  # or larger than NumPy's
    if mixed:
        code.arguments.setdefault("dtype", {}).update(dict.fromkeys(mixed, Source("str")))
        code.notes.append(NOTES["mixed"].format(columns=name_list(mixed)))
    return bool(mixed)


def read_all(code: TableCode, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Read all rows, and once more if they show what the first ones do not."""
    for _ in range(READS):
        data = read()
        mixed = read_mixed_as_text(code, data)
        if has_index(code) and not data.index.is_unique:
            del code.arguments["index_col"]
            continue
        if not find_gaps(code, data) and not mixed:
            break
    return data


def note_gaps(code: TableCode) -> None:
    """Add the note on the texts that stand for missing values."""
    gaps = code.arguments.get("na_values")
    if not gaps:
        return
    every = sorted({text for texts in gaps.values() for text in texts}) if isinstance(gaps, dict) else gaps
    markers = join_words([repr(text) for text in every])
    code.notes.append(NOTES["gaps"].format(markers=markers, stand="stand" if len(every) > 1 else "stands"))
