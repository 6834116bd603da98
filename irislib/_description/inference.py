"""Features drafted from a table."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from irislib._description.feature import Feature
from irislib._description.feature_types.numeric import MAX_EXACT, IntegerType
from irislib._description.values import normalized, to_json, to_python
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FeatureList", "column_unit", "infer_features", "own_facts"]

MAX_CHOICES = 20  # more different texts are free text
SAMPLE = 1000  # values in which free text shows: counting all of a long column takes time
MAX_DECIMALS = 2  # of the step of the buttons beside a number
RESERVED = frozenset({"token"})  # see `describe_faults`
# What a name ends in without brackets: no single letters, which end other names as well.
UNITS = {
    **dict.fromkeys(("mm", "cm", "km", "mg", "kg", "ml", "ms", "kwh", "kw", "hz", "khz", "mhz", "hpa", "kpa")),
    **{"m2": "m²", "m3": "m³", "eur": "EUR", "usd": "USD", "gbp": "GBP", "pct": "%", "percent": "%"},
}
LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "ł": "l"})


class FeatureList(list[Feature]):
    """A list of features whose repr is the Python that makes it."""

    def __repr__(self) -> str:
        return "[\n" + "".join(f"    {_source(feature)},\n" for feature in self) + "]"


def infer_features(table: Any) -> FeatureList:
    """Draft the features of a table, one for each column.

    Numbers and whole numbers are taken as such, also whole numbers beside gaps; 0 and 1, True and False become a
    boolean that arrives in the column's own dtype; a Categorical becomes a choice that arrives as one, and text with at
    most 20 different values, each there twice on average, a choice as well; days and times of day are taken as such;
    anything else is free text. An empty column is what its dtype says, else a number. A unit is read from names of
    columns with numbers, such as ``length (cm)``, ``price [EUR]`` and ``length_cm``. A column with gaps or blank text
    may be left empty. The default is the median, or the most frequent value. What is possible a table does not say: add
    ``low`` and ``high`` yourself.

    Parameters
    ----------
    table : DataFrame, or anything that :class:`pandas.DataFrame` makes one of

    Returns
    -------
    list of Feature
        Its repr is Python that can be pasted and edited.

    Raises
    ------
    DataError
        If this is no table, two columns have the same name, or a column holds what no feature can be.

    Examples
    --------
    >>> import pandas as pd
    >>> infer_features(pd.DataFrame({"length (cm)": [1.5, 2.5, 9.0], "colour": pd.Categorical(["red", "blue", "red"])}))
    [
        Feature('length_cm', unit='cm', step=0.1, default=2.5, column='length (cm)'),
        Feature('colour', 'choice', choices=('blue', 'red'), default='red', dtype='category'),
    ]
    """
    frame = _to_frame(table)
    texts = [normalized(str(column)) for column in frame.columns]
    _check_names(frame, texts)
    features = FeatureList()
    names = {text for text in texts if text == _identifier(text)}  # which these columns keep
    labels: set[str] = set()
    for i, (column, text) in enumerate(zip(frame.columns, texts, strict=True)):
        name = text if text in names else _unique(_identifier(text), names, "_")
        values = _without_blanks(frame.iloc[:, i])
        facts = _facts(column, values)
        start, unit = _unit(text) if facts["kind"] in ("number", "integer") else (text, "")
        label = _label(start) if _label(start) not in labels else _label(text)
        features.append(
            Feature(
                name,
                label=_unique(label, labels, " "),
                unit=unit,
                required=not bool(values.isna().any()),
                column=to_python(column),
                **facts,
            )
        )
    return features


def _to_frame(table: Any) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    except (TypeError, ValueError) as error:
        raise DataError(f"Expected a DataFrame or what becomes one, got {type(table).__name__}: {error}") from error
    if not len(frame.columns):
        raise DataError("The table has no columns.")
    return frame


def _check_names(frame: pd.DataFrame, texts: list[str]) -> None:
    if frame.columns.nlevels > 1:
        raise DataError("The table has several levels of column names; join them to one.")
    if repeated := [text for text, count in Counter(texts).items() if count > 1]:
        raise DataError(f"The table has the column {repeated[0]!r} more than once.")
    if not all(map(str.strip, texts)):
        raise DataError("The table has a column without a name.")


def column_unit(name: str) -> str:
    """Return the unit in the name of a column with numbers, or nothing."""
    return _unit(name)[1]


def _unit(text: str) -> tuple[str, str]:
    """Split the name of a column into the name and the unit, which may be empty."""
    if match := re.fullmatch(r"(.*\S)\s*[(\[]([^()\[\]]{1,12})[)\]]\s*", text):
        return match[1], match[2].strip()
    if match := re.fullmatch(r"(.*[^\W_])[_ ]([A-Za-z]+[0-9]?)", text):
        unit = match[2].lower()
        if unit in UNITS and not re.search(r"(^|[_ ])per$", match[1], re.IGNORECASE):  # a price per kg is not in kg
            return re.sub(r"[_ ]in$", "", match[1]), UNITS[unit] or match[2]
    return text, ""


def _label(text: str) -> str:
    label = re.sub(r"[\s_]+", " ", text).strip() or text
    return label[:1].upper() + label[1:]


def _identifier(text: str) -> str:
    """Return a name of ASCII letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(LETTERS)).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_") or "feature"
    if name[0].isdigit():
        name = f"x{name}"
    return f"{name}_value" if name in RESERVED else name


def _unique(text: str, taken: set[str], separator: str) -> str:
    """Return a text with a number at its end if it is taken already, and take it."""
    unique, number = text, 2
    while unique in taken:
        unique, number = f"{text}{separator}{number}", number + 1
    taken.add(unique)
    return unique


def _without_blanks(values: pd.Series) -> pd.Series:
    """Return a column whose blank texts are missing, as a form and a CSV file have them."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        blanks = [category for category in values.cat.categories if isinstance(category, str) and not category.strip()]
        return values.mask(values.isin(blanks)) if blanks else values
    if values.dtype.kind != "O":
        return values
    is_blank = [isinstance(value, str) and not value.strip() for value in values.tolist()]
    return values.mask(pd.Series(is_blank, values.index)) if any(is_blank) else values


def _facts(column: Any, values: pd.Series) -> dict[str, Any]:
    """Return the kind of a column and what belongs to it."""
    import pandas as pd

    known = values.dropna()
    contents = pd.api.types.infer_dtype(known if len(known) else values, skipna=True)
    if contents == "categorical":
        return _categories(column, values)
    if contents == "boolean":
        return {"kind": "boolean", "default": bool(known.mode().iloc[0]) if len(known) else None}
    if contents in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _numbers(values, known)
    if contents in ("datetime64", "datetime"):
        return _days(column, known.infer_objects())
    if contents == "date" and not known.map(lambda day: isinstance(day, dt.datetime)).any():
        return {"kind": "date"}
    if contents == "time" and not known.map(lambda time: time.tzinfo).any():
        return {"kind": "time"}
    if contents == "string":
        return _texts(known)
    if known.empty:
        return {"kind": "number"}
    type_names = sorted({type(value).__name__ for value in known})
    raise DataError(
        f"The column {column!r} holds values of type {' and '.join(type_names)}; a feature is a number, text, a date, "
        "a time without a time zone, or yes or no."
    )


def _categories(column: Any, values: pd.Series) -> dict[str, Any]:
    choices = tuple(map(to_python, values.cat.categories))
    if not choices:
        return {"kind": "text"}
    if other := [choice for choice in choices if not isinstance(choice, str | int | float)]:
        raise DataError(f"The column {column!r} has categories of type {type(other[0]).__name__}; make them text.")
    if not _differ(choices):
        raise DataError(f"The column {column!r} has categories that differ in spaces or type alone.")
    known = values.dropna()
    default = to_python(known.mode().iloc[0]) if len(known) else None
    return {"kind": "choice", "choices": choices, "default": default, "dtype": "category"}


def _differ(choices: tuple[Any, ...]) -> bool:
    """Return whether each choice is parsed as itself; the first with the same text, also without spaces, is taken."""
    seen: set[str] = set()
    for choice in choices:
        text = str(to_json(choice))
        if not seen.isdisjoint((text, text.strip())):
            return False
        seen.add(text)
    return True


def _numbers(values: pd.Series, known: pd.Series) -> dict[str, Any]:
    import numpy as np

    numbers = known.to_numpy(dtype="float64")
    if not len(numbers) or not np.isfinite(numbers).all():
        return {"kind": "number"}
    is_whole = bool((numbers == np.floor(numbers)).all())
    median = float(np.median(numbers))
    largest = float(abs(numbers).max())
    if is_whole and (numbers.min(), numbers.max()) == (0, 1):
        own = {"dtype": str(values.dtype)} if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf" else {}
        return {"kind": "boolean", "default": median >= 0.5, **own}
    is_integer = values.dtype.kind in "iu" and largest <= IntegerType.largest
    if is_integer or (is_whole and values.isna().any() and largest < MAX_EXACT):
        return {"kind": "integer", "default": int(median)}
    if is_whole:
        return {"kind": "number", "default": median}
    digits = range(1, MAX_DECIMALS + 1)
    decimals = next((d for d in digits if np.allclose(numbers, numbers.round(d), rtol=0, atol=1e-9)), None)
    if not decimals:  # more digits than a button should step
        return {"kind": "number", "default": float(f"{median:.4g}")}
    return {"kind": "number", "default": round(median, decimals), "step": round(10.0**-decimals, decimals)}


def _days(column: Any, known: pd.Series) -> dict[str, Any]:
    if known.empty:
        return {"kind": "date"}
    if known.dt.tz is not None:
        raise DataError(f"The column {column!r} has a time zone; take it away with .dt.tz_localize(None).")
    if (known != known.dt.normalize()).any():
        raise DataError(f"The column {column!r} has days with a time; make it two columns, or a number.")
    return {"kind": "date", "default": known.median().date()}


def _texts(known: pd.Series) -> dict[str, Any]:
    if known.iloc[:SAMPLE].nunique() > MAX_CHOICES:
        return {"kind": "text"}
    counts = known.value_counts()
    choices = tuple(sorted(map(str, counts.index)))
    if not choices or len(choices) > MAX_CHOICES or len(known) < 2 * len(choices) or not _differ(choices):
        return {"kind": "text"}
    return {"kind": "choice", "choices": choices, "default": str(counts.index[0])}


def own_facts(feature: Feature) -> tuple[list[str], dict[str, Any]]:
    """Return the arguments that make a feature, without what is so anyway: those without a name, and the others."""
    plain = Feature(feature.name, feature.kind, unit=feature.unit, required=feature.required)
    named = {}
    for field in fields(Feature)[2:]:
        value = getattr(feature, field.name)
        usual = field.default if field.name in ("unit", "required") else getattr(plain, field.name)
        if value != usual:
            named[field.name] = value
    return [feature.name, *([feature.kind] if feature.kind != "number" else [])], named


def _source(feature: Feature) -> str:
    """Return the Python that makes a feature."""
    arguments, named = own_facts(feature)
    parts = [*map(repr, arguments), *(f"{name}={_literal(value)}" for name, value in named.items())]
    return f"Feature({', '.join(parts)})"


def _literal(value: Any) -> str:
    """Return the Python of a value; days and times as text, which a feature parses."""
    return repr(value.isoformat()) if isinstance(value, dt.date | dt.time) else repr(value)
