"""Checks of one column: what load_data has to change in it, why it is left out, and what to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._project.findings import Finding, find, show, show_list
from irislib._project.python_text import flat, literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Change",
    "change_of",
    "even_hints",
    "hints",
    "is_text",
    "names_rows",
    "text_kind",
    "why_left_out",
    "words_of",
]

Change = tuple[list[str], Finding]  # lines of load_data, and why

MOSTLY = 0.9  # the share of numbers in a column of text from which it is one of numbers
GAPS, MANY_GAPS = 0.95, 0.5
DISTINCT = 0.95  # the share of different texts from which they name rows
MOST_CODES = 6  # different whole numbers that may be codes
WORDS, LENGTH = 3.5, 40  # of free text, on average
CODES = {"zip", "zipcode", "postal", "postcode", "plz", "code", "codes", "fips", "ean", "isbn", "gtin"}
AMOUNTS = {"count", "number", "n", "num", "rooms", "age", "rating", "score", "quality", "year", "years", "hours"}
AMOUNTS |= {"rank", "grade", "points", "size", "members", "children", "level"}
IDS = {"id", "ids", "uuid", "guid", "key", "index", "nr", "no", "rownames", "rownum", "row", "serial", "unnamed"}
AFTER = {"cancel", "cancelled", "canceled", "cancellation", "closed", "closing", "ended", "termination", "terminated"}
AFTER |= {"outcome", "result", "final", "resolution", "resolved", "discharge", "death", "refund", "exit", "kuendigung"}
SENTINELS = (99, 999, 9999, 99999, 999999, 9999999)
PEOPLE = {
    *("firstname", "lastname", "surname", "fullname", "forename", "givenname", "familyname", "vorname", "nachname"),
    *("email", "mail", "phone", "telephone", "mobile", "fax", "telefon", "ssn", "iban", "passport"),
    *("address", "street", "strasse", "birthday", "birthdate", "geburtsdatum"),
}
PEOPLE_PHRASES = (
    *("first name", "last name", "full name", "given name", "family name", "middle name", "e mail", "user name"),
    *("credit card", "social security", "date of birth", "customer name", "contact name"),
)
PATTERNS = {
    "e-mail addresses": r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+",
    "phone numbers": r"(\+|00|\(0)[\d\s()./-]{7,}\d|0\d{2,4}[\s/-][\d\s-]{5,}\d|(\d{3}-|\(\d{3}\) ?)\d{3}-\d{4}",
    "bank accounts": r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?",
}


def words_of(column: Any) -> list[str]:
    """Return the words in the name of a column, in lower case; ``CustomerID`` has two."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", str(column))
    return [word for word in re.split(r"[\W_]+", text.lower()) if word]


def is_text(values: pd.Series) -> bool:
    """Return whether all known values are text."""
    import pandas as pd

    return pd.api.types.infer_dtype(values, skipna=True) == "string" and not hasattr(values.dtype, "categories")


def change_of(name: Any, values: pd.Series) -> Change | None:
    """Return what load_data has to change in a column so that a feature can be made of it, or None.

    Days, durations and the blanks around texts have been mended when the table was read; see `column_lines`.
    """
    import pandas as pd

    data = f"data[{flat(literal(name))}]"
    contents = pd.api.types.infer_dtype(values.dropna(), skipna=True)
    if contents == "time":
        hours = "lambda time: time.hour + time.minute / 60"
        lines = [f'{data} = {data}.map({hours}, na_action="ignore").astype(float)']
        return lines, find("time_of_day", name, column=name)
    if contents in ("mixed", "mixed-integer") and not values.map(pd.api.types.is_hashable).all():
        return None
    if contents in ("mixed", "mixed-integer"):
        return _change_mixed(name, data, values) or (
            [f'{data} = {data}.map(str, na_action="ignore")'],
            find("mixed_text", name, column=name),
        )
    if contents == "categorical" and not all(isinstance(one, str | int | float) for one in values.cat.categories):
        lines = [f'{data} = {data}.astype(object).map(str, na_action="ignore")']
        return lines, find("to_text", name, column=name, what="categories that are no text")
    if is_text(values):
        return _change_mixed(name, data, values)
    return _change_numbers(name, data, values)


def _change_mixed(name: Any, data: str, values: pd.Series) -> Change | None:
    """Return the change of a column that is mostly numbers, or None."""
    import pandas as pd

    known = values.dropna()
    known = known[known.astype(str).str.strip() != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    if len(known) == 0 or numbers.notna().mean() < MOSTLY or known.map(lambda v: isinstance(v, bool)).any():
        return None
    if known.astype(str).str.fullmatch(r"0\d+").any():  # a number does not begin with 0, a code does
        return None
    others = known[numbers.isna()]
    lines = [f'{data} = pd.to_numeric({data}, errors="coerce")']
    some = others.iloc[0] if len(others) else ""
    return lines, find(
        "mixed_numbers",
        name,
        column=name,
        count=len(values.dropna()) - int(numbers.notna().sum()),
        value=show(str(some)),
    )


def _change_numbers(name: Any, data: str, values: pd.Series) -> Change | None:
    import numpy as np
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype.kind not in "iuf":
        return None
    known = values.dropna()
    if np.isinf(known.to_numpy(dtype=float)).any():
        count = int(np.isinf(known.to_numpy(dtype=float)).sum())
        return [f'{data} = {data}.where({data}.abs() != float("inf"))'], find(
            "infinite", name, column=name, count=count
        )
    if _are_codes(name, known):
        return [f'{data} = {data}.map("{{:.0f}}".format, na_action="ignore")'], find("codes", name, column=name)
    if (value := _sentinel(known)) is not None and value < 0:
        count = int((known == value).sum())
        lines = [f"{data} = {data}.mask({data} == {value})"]
        return lines, find("sentinel", name, column=name, value=show(value), count=count)
    return None


def _are_codes(name: Any, known: pd.Series) -> bool:
    is_whole = len(known) > 0 and bool((known == known.round()).all())
    return is_whole and known.nunique() > 2 and not CODES.isdisjoint(words_of(name)) and "age" not in words_of(name)


def _sentinel(known: pd.Series) -> Any:
    """Return a number such as -999 that stands far from all others in at least two rows, or None."""
    import numpy as np

    values = np.unique(known.to_numpy(dtype=float))
    if len(values) < 5:
        return None
    spread = values[-2] - values[1]
    for value, nearest in ((values[0], values[1]), (values[-1], values[-2])):
        is_known = abs(value) in SENTINELS or (value == -1 and nearest >= 0 and np.ptp(values[1:]) > 50)
        is_far = abs(value - nearest) > spread or (value == -1 and nearest >= 0)
        if is_known and is_far and int((known == value).sum()) >= 2:
            return int(value)
    return None


def why_left_out(name: Any, values: pd.Series) -> Finding | None:
    """Return why a column is no input, or None."""
    known = values.dropna()
    count, distinct = len(known), known.nunique()
    share = 1 - count / len(values)
    if share > GAPS:
        return find("gaps", name, column=name, share=format_share(share))
    if distinct == 1 and share == 0:
        return find("constant", name, column=name, value=show(known.iloc[0]))
    if what := _personal(name, known, distinct):
        return find("personal", name, column=name, what=what)
    if names_rows(name, known):
        share_text = "all" if distinct == count else format_share(distinct / count) + " of the"
        return find("id", name, column=name, share=share_text)
    return None


def _personal(name: Any, known: pd.Series, distinct: int) -> str:
    """Return which personal data a column holds, by its values or its name, or nothing."""
    if not is_text(known) or not len(known):
        return ""
    some = known.iloc[:1000].astype(str).str.strip()
    for what, pattern in PATTERNS.items():
        if some.str.fullmatch(pattern).mean() > 0.5:
            return what
    name_words = words_of(name)
    by_name = not PEOPLE.isdisjoint(name_words) or any(phrase in " ".join(name_words) for phrase in PEOPLE_PHRASES)
    is_varied = distinct > 20 and distinct > len(known) / 4
    if by_name and is_varied:
        return "by its name"
    return "names" if name_words == ["name"] and is_varied and some.str.contains(r"\w[ ,]").mean() > 0.5 else ""


def names_rows(name: Any, known: pd.Series) -> bool:
    """Return whether the known values of a column name its rows, such as ids and row numbers."""
    count, distinct = len(known), known.nunique()
    if count < 10 or distinct < DISTINCT * count:
        return False
    if is_text(known):
        return not _is_free_text(known)
    if known.dtype.kind not in "iu" or distinct < count:
        return False
    is_consecutive = int(known.max()) - int(known.min()) == count - 1
    is_sorted = known.is_monotonic_increasing or known.is_monotonic_decreasing
    return not IDS.isdisjoint(words_of(name)) or (is_consecutive and is_sorted and "year" not in words_of(name))


def _is_free_text(known: pd.Series) -> bool:
    some = known.iloc[:1000].astype(str)
    return bool(some.str.split().str.len().mean() >= WORDS or some.str.len().mean() > LENGTH)


def text_kind(values: pd.Series) -> str:
    """Return ``words`` for free text, ``many`` for a category with many values."""
    known = values.dropna()
    return "words" if _is_free_text(known) and known.nunique() > len(known) / 2 else "many"


def hints(name: Any, values: pd.Series, kind: str, target: Any) -> list[Finding]:
    """Return what is to be checked about a column that is an input; kind is that of its feature."""
    known, findings = values.dropna(), []
    share = 1 - len(known) / len(values)
    name_words = words_of(name)
    if share > MANY_GAPS:
        findings.append(find("many_gaps", name, column=name, share=format_share(share)))
    if not AFTER.isdisjoint(name_words):
        findings.append(find("after", name, column=name, target=target))
    if kind == "text" and text_kind(values) == "words":
        findings.append(find("words", name, column=name))
    elif kind == "text":
        findings.append(find("many_values", name, column=name, count=f"{known.nunique():,}"))
    if kind in ("integer", "number") and known.dtype.kind in "iuf" and len(known):
        findings += _number_hints(name, known, name_words)
    return findings


def _number_hints(name: Any, known: pd.Series, name_words: list[str]) -> list[Finding]:
    values = sorted(known.unique().tolist())
    if (value := _sentinel(known)) is not None:
        count, nearest = int((known == value).sum()), values[-2] if value > 0 else values[1]
        facts = {"value": show(value), "count": count, "next": show(nearest), "name": flat(literal(name))}
        return [find("far", name, column=name, **facts)]
    is_whole = all(float(value).is_integer() for value in values[:10])
    if 3 <= len(values) <= MOST_CODES and is_whole and AMOUNTS.isdisjoint(name_words) and len(known) > 20 * len(values):
        texts = show_list([int(value) for value in values], 6)
        return [find("few_numbers", name, column=name, values=texts, name=flat(literal(name)))]
    return []


def even_hints(findings: Sequence[Finding], frame: pd.DataFrame) -> list[Finding]:
    """Leave out that a column may hold codes if another one of a numbered series, such as q1 to q9, cannot."""
    amounts = {_series(column) for column in frame.columns if frame[column].nunique() > MOST_CODES}
    return [one for one in findings if one.kind != "few_numbers" or _series(one.column) not in amounts]


def _series(column: Any) -> str:
    return re.sub(r"\d+", "#", str(column))
