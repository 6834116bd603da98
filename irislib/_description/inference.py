"""Features drafted from a table."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from irislib._description.feature import Feature
from irislib._description.values import to_python
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FeatureList", "infer_features"]

MAX_CHOICES = 20  # more different texts are free text
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
    anything else is free text. A unit is read from names such as ``length (cm)``, ``price [EUR]`` and ``length_cm``. A
    column with gaps may be left empty. The default is the median, or the most frequent value. What is possible a table
    does not say: add ``low`` and ``high`` yourself.

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
        If two columns have the same name, or a column holds what no feature can be.

    Examples
    --------
    >>> import pandas as pd
    >>> infer_features(pd.DataFrame({"length (cm)": [1.5, 2.5, 9.0], "colour": pd.Categorical(["red", "blue", "red"])}))
    [
        Feature('length_cm', label='Length', unit='cm', step=0.1, default=2.5, column='length (cm)'),
        Feature('colour', 'choice', choices=('blue', 'red'), default='red', dtype='category'),
    ]
    """
    import pandas as pd

    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    texts = [unicodedata.normalize("NFC", str(column)) for column in frame.columns]
    if repeated := [text for text in texts if texts.count(text) > 1]:
        raise DataError(f"The table has the column {repeated[0]!r} more than once.")
    if not all(map(str.strip, texts)):
        raise DataError("The table has a column without a name.")
    features = FeatureList()
    names = {text for text in texts if text == _identifier(text)}  # which these columns keep
    labels: set[str] = set()
    for column, text in zip(frame.columns, texts, strict=True):
        name = text if text in names else _unique(_identifier(text), names, "_")
        start, unit = _unit(text)
        label = re.sub(r"[\s_]+", " ", start).strip() or text
        features.append(
            Feature(
                name,
                label=_unique(label[:1].upper() + label[1:], labels, " "),
                unit=unit,
                required=not bool(frame[column].isna().any()),
                column=to_python(column),
                **_values(column, frame[column]),
            )
        )
    return features


def _unit(text: str) -> tuple[str, str]:
    """Split the name of a column into the name and the unit, which may be empty."""
    if match := re.fullmatch(r"(.*\S)\s*[(\[]([^()\[\]]{1,12})[)\]]\s*", text):
        return match[1], match[2].strip()
    if match := re.fullmatch(r"(.*[^\W_])[_ ]([A-Za-z]+[0-9]?)", text):
        unit = match[2].lower()
        if unit in UNITS:
            return match[1], UNITS[unit] or match[2]
    return text, ""


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


def _values(column: Any, values: pd.Series) -> dict[str, Any]:
    """Return the kind of a column and what belongs to it."""
    import pandas as pd

    types = pd.api.types
    known = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        choices = tuple(map(to_python, values.cat.categories))
        default = to_python(known.mode().iloc[0]) if len(known) else None
        return {"kind": "choice", "choices": choices, "default": default, "dtype": "category"}
    if known.empty:
        return {"kind": "number"}
    if values.dtype == "object":
        known = known.infer_objects()
    if types.is_bool_dtype(known.dtype):
        return {"kind": "boolean", "default": bool(known.mode().iloc[0])}
    if types.is_integer_dtype(known.dtype) or types.is_float_dtype(known.dtype):
        return _numbers(values, known)
    if types.is_datetime64_any_dtype(known.dtype):
        if known.dt.tz is not None or (known != known.dt.normalize()).any():
            raise DataError(f"The column {column!r} has days with a time; make it two columns, or a number.")
        return {"kind": "date", "default": known.median().date()}
    if known.map(lambda value: isinstance(value, dt.time)).all():
        return {"kind": "time"}
    if known.map(lambda value: isinstance(value, dt.date)).all():
        return {"kind": "date"}
    if not known.map(lambda value: isinstance(value, str)).all():
        type_name = next(type(value).__name__ for value in known if not isinstance(value, str))
        raise DataError(
            f"The column {column!r} holds a {type_name}; a feature is a number, text, a date, or yes or no."
        )
    return _texts(known)


def _numbers(values: pd.Series, known: pd.Series) -> dict[str, Any]:
    import numpy as np

    numbers = known.to_numpy(dtype="float64")
    if not np.isfinite(numbers).all():
        return {"kind": "number"}
    is_whole = bool((numbers == np.floor(numbers)).all())
    median = float(np.median(numbers))
    if is_whole and set(np.unique(numbers)) == {0.0, 1.0}:
        own = {"dtype": str(values.dtype)} if values.dtype.kind in "iuf" else {}
        return {"kind": "boolean", "default": median >= 0.5, **own}
    if values.dtype.kind in "iu" or (is_whole and values.isna().any() and abs(numbers).max() < 2**53):
        return {"kind": "integer", "default": int(median)}
    digits = range(MAX_DECIMALS + 1)
    decimals = next((d for d in digits if np.allclose(numbers, numbers.round(d), rtol=0, atol=1e-9)), None)
    if not decimals:  # all whole, or with more digits than a button should step
        return {"kind": "number", "default": float(f"{median:.4g}")}
    return {"kind": "number", "default": round(median, decimals), "step": round(10.0**-decimals, decimals)}


def _texts(known: pd.Series) -> dict[str, Any]:
    counts = known.value_counts()
    if len(counts) > MAX_CHOICES or len(known) < 2 * len(counts):
        return {"kind": "text"}
    return {"kind": "choice", "choices": tuple(sorted(map(str, counts.index))), "default": str(counts.index[0])}


def _source(feature: Feature) -> str:
    """Return the Python that makes a feature, without what is so anyway."""
    plain = Feature(feature.name, feature.kind, unit=feature.unit, required=feature.required)
    parts = [repr(feature.name), *([repr(feature.kind)] if feature.kind != "number" else [])]
    for field in fields(Feature)[2:]:
        value = getattr(feature, field.name)
        usual = field.default if field.name in ("unit", "required") else getattr(plain, field.name)
        if value != usual:
            parts.append(f"{field.name}={_literal(value)}")
    return f"Feature({', '.join(parts)})"


def _literal(value: Any) -> str:
    """Return the Python of a value; days and times as text, which a feature parses."""
    return repr(value.isoformat()) if isinstance(value, dt.date | dt.time) else repr(value)
