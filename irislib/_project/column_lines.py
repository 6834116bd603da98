"""Lines of Python that make numbers and days of columns in which they are text."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import join_words, shorten_list
from irislib._common.messages.tables import NOTES
from irislib._description.day_text import is_day_first
from irislib._project.column_dates import DateTexts, find_dates
from irislib._project.column_names import mend_names
from irislib._project.column_texts import NumberTexts, find_numbers, gap_markers, is_rest_numeric
from irislib._project.table_code import TableCode, literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["assign", "different_texts", "gap_lines", "mend_table", "name_list", "text_columns"]

WIDTH = 84
_DAY_WORDS = re.compile(r"(?i)(^|[\W_])(date|day|datum|tag|jour|fecha|dt|ymd)|date$|datum$")


def name_list(names: Any) -> str:
    """Return names of columns as a part of a sentence."""
    return shorten_list([str(name) for name in names])


def text_columns(data: pd.DataFrame) -> list[Any]:
    """Return the columns that hold nothing but text and gaps."""
    import pandas as pd

    columns = []
    for column, dtype in data.dtypes.items():
        if isinstance(dtype, pd.StringDtype) or (
            dtype.kind == "O" and pd.api.types.infer_dtype(data[column], skipna=True) == "string"
        ):
            columns.append(column)
    return columns


def different_texts(values: pd.Series) -> pd.Series:
    """Return the different texts of a column."""
    import pandas as pd

    return pd.Series(values.dropna().unique())


def mend_table(code: TableCode, data: pd.DataFrame, prefers_comma: bool = False) -> pd.DataFrame:
    """Return a table with sound names, without empty rows, and with numbers and days instead of texts.

    Parameters
    ----------
    code : TableCode
        Gets the lines that do it, and the notes.
    data : DataFrame
    prefers_comma : bool
        Take commas for decimal signs, and the first part of ``01/02/2025`` for the day, where values do not say.
    """
    data = mend_names(code, data)
    if data.isna().all(axis=1).any():
        data = code.apply(data, ['data = data.dropna(how="all")'])
        code.notes.append(NOTES["empty_rows"])
    return _mend_columns(code, data, prefers_comma)


def gap_lines(code: TableCode, data: pd.DataFrame) -> list[str]:
    """Return the lines that make gaps of the texts that stand for missing values, where no argument does."""
    by_markers: defaultdict[tuple[str, ...], list[Any]] = defaultdict(list)
    for column in text_columns(data):
        texts = different_texts(data[column]).tolist()
        if own := gap_markers(texts, is_rest_numeric):
            by_markers[tuple(sorted(own))].append(column)
    lines = []
    for markers, columns in by_markers.items():
        lines += assign(columns, lambda source, own=markers: f"{source}.mask({source}.isin({literal(own)}))")
        listed = join_words([repr(marker) for marker in markers])
        code.notes.append(NOTES["gaps"].format(markers=listed, stand="stands" if len(markers) == 1 else "stand"))
    return lines


def _mend_columns(code: TableCode, data: pd.DataFrame, prefers_comma: bool) -> pd.DataFrame:
    """Make numbers and days of the columns in which they are text, by lines of the code."""
    numbers: defaultdict[NumberTexts, list[Any]] = defaultdict(list)
    days: defaultdict[DateTexts, list[Any]] = defaultdict(list)
    stripped: list[Any] = []
    examples: dict[NumberTexts | DateTexts, str] = {}
    for column in text_columns(data):
        texts = different_texts(data[column])
        if texts.empty:
            continue
        bare = texts.str.strip()
        if written := find_numbers(texts, "," if prefers_comma else "."):
            numbers[written].append(column)
            examples[written] = next((text for text in texts if not text.isdigit()), texts[0])
        elif plan := find_dates(bare, prefers_comma):
            days[plan].append(column)
            examples[plan] = bare[0]
        if written is None and not bare.equals(texts):
            stripped.append(column)
    lines = assign(stripped, lambda source: f"{source}.str.strip()")
    if stripped:
        code.notes.append(NOTES["strip"].format(columns=name_list(stripped)))
    for number, columns in numbers.items():
        lines += assign(columns, number.source)
        _note_number(code, number, columns, examples[number])
    for day, columns in days.items():
        lines += assign(columns, day.source)
        _note_day(code, day, columns, examples[day])
    data = code.apply(data, [*lines, *_whole_number_days(code, data), *_object_days(code, data)])
    return _mend_days(code, data)


def assign(columns: list[Any], source: Any) -> list[str]:
    """Return the lines that replace columns by what is made of each."""
    if not columns:
        return []
    if len(columns) > 1:
        start, indent, subject = [f"for column in {literal(columns)}:"], "    ", "data[column]"
    else:
        start, indent, subject = [], "", f"data[{literal(columns[0])}]"
    line = f"{subject} = {source(subject)}"
    return [*start, *(indent + part for part in line.split("\n"))]


def _note_number(code: TableCode, number: NumberTexts, columns: list[Any], example: str) -> None:
    if number.is_either:
        meaning = number.meaning(example)
        code.notes.append(NOTES["either"].format(columns=name_list(columns), example=example, meaning=meaning))
        return
    percent = NOTES["numbers.percent"] if number.is_percent else ""
    code.notes.append(NOTES["numbers"].format(columns=name_list(columns), example=example, percent=percent))


def _note_day(code: TableCode, day: DateTexts, columns: list[Any], example: str) -> None:
    names = name_list(columns)
    if day.other:
        order = "day" if is_day_first(day.format) else "month"
        text = NOTES["dates.either"].format(columns=names, example=example, order=order, other=day.other)
    else:
        text = NOTES["dates"].format(columns=names, example=example)
    code.notes.append(text)
    if day.is_utc:
        code.notes.append(NOTES["zone"].format(columns=names))


def _whole_number_days(code: TableCode, data: pd.DataFrame) -> list[str]:
    """Return the lines that make days of whole numbers such as 20251231, in columns whose names say so."""
    import pandas as pd

    columns = []
    for column in data.columns:
        values = data[column]
        if values.dtype.kind != "i" or not _DAY_WORDS.search(str(column)) or values.empty:
            continue
        if values.between(1900_01_01, 2100_12_31).all():
            texts = pd.Series(values.unique()).astype(str)
            if pd.to_datetime(texts, format="%Y%m%d", errors="coerce").notna().all():
                columns.append(column)
    if columns:
        example = data[columns[0]].iloc[0]
        code.notes.append(NOTES["dates"].format(columns=name_list(columns), example=example))
    return assign(columns, lambda source: f'pd.to_datetime({source}.astype(str), format="%Y%m%d")')


def _object_days(code: TableCode, data: pd.DataFrame) -> list[str]:
    """Return the lines that make pandas' days of Python's."""
    import pandas as pd

    plain: list[Any] = []
    zoned: list[Any] = []  # with several offsets, as databases answer for summer and winter
    for column, dtype in data.dtypes.items():
        if dtype.kind == "O" and pd.api.types.infer_dtype(data[column], skipna=True) in ("date", "datetime"):
            known = data[column].dropna()
            have_zone = known.map(lambda day: isinstance(day, dt.datetime) and day.tzinfo is not None)
            if not have_zone.any():
                plain.append(column)
            elif have_zone.all():
                zoned.append(column)
    if zoned:
        code.notes.append(NOTES["zone"].format(columns=name_list(zoned)))
    lines = assign(plain, lambda source: f"pd.to_datetime({source})")
    return lines + assign(zoned, lambda source: f"pd.to_datetime({source}, utc=True).dt.tz_localize(None)")


def _mend_days(code: TableCode, data: pd.DataFrame) -> pd.DataFrame:
    """Take the time of day from days, by lines of the code: a feature is a day."""
    zoned: list[Any] = []
    same: list[Any] = []
    hours: dict[Any, str] = {}
    for column, dtype in data.dtypes.items():
        if dtype.kind != "M":
            continue
        values = data[column]
        if getattr(dtype, "tz", None) is not None:
            zoned.append(column)
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        known = values.dropna()
        if (known == known.dt.normalize()).all():
            continue
        if known.dt.hour.nunique() < 2:
            same.append(column)
        else:
            hours[column] = _hour_name(str(column), data.columns)
    lines = assign(zoned, lambda source: f'{source}.dt.tz_convert("UTC").dt.tz_localize(None)')
    lines += [f"data[{literal(name)}] = data[{literal(column)}].dt.hour" for column, name in hours.items()]
    lines += assign([*hours, *same], lambda source: f"{source}.dt.normalize()")
    if zoned:
        code.notes.append(NOTES["zone"].format(columns=name_list(zoned)))
    if hours:
        code.notes.append(NOTES["hours"].format(columns=name_list(hours), hours=name_list(hours.values())))
    if same:
        code.notes.append(NOTES["same_hour"].format(columns=name_list(same)))
    return code.apply(data, lines) if lines else data


def _hour_name(name: str, taken: Any) -> str:
    separator = " " if " " in name else "_"
    hour = f"{name}{separator}hour"
    while hour in taken:
        hour += separator + "2"
    return hour
