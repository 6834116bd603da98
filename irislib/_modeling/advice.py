"""Advice on the errors that estimators and data are known to raise."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.messages.advice import TEXTS
from irislib._description.fingerprint import estimator_parts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["Training", "give_advice"]

OWN_ENCODINGS = {  # of estimators that take text by themselves, by the start of their names
    "HistGradientBoosting": "text.category",
    "LGBM": "text.category",
    "XGB": "text.XGB",
    "CatBoost": "text.CatBoost",
}
MAX_CLASSES = 5  # that an advice names
VECTORIZERS = ("TfidfVectorizer", "CountVectorizer", "HashingVectorizer")


@dataclass(frozen=True)
class Training:
    """The input of an estimator that failed.

    Attributes
    ----------
    spec : ModelSpec
    rows : DataFrame, optional
    target : ndarray, optional
    """

    spec: ModelSpec
    rows: pd.DataFrame | None = None
    target: np.ndarray | None = None


def give_advice(message: str, error: BaseException, training: Training | None) -> str:
    """Return what to do about an error, or nothing if it is not a known one."""
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str) and not os.path.isabs(error.filename):
        return TEXTS["file"].format(folder=os.getcwd(), file=error.filename)
    if training is None:
        return ""
    for pattern, advise in KNOWN:
        if (match := re.search(pattern, message)) and (text := advise(match, training)):
            return text
    return ""


def _about_vectorizer(_: re.Match[str], training: Training) -> str:
    names = {type(part).__name__ for part in estimator_parts(training.spec.estimator)}
    name = next((name for name in VECTORIZERS if name in names), "")
    text = next((f.column for f in training.spec.features if f.kind == "text"), training.spec.columns[0])
    return TEXTS["vectorizer"].format(vectorizer=name, column=text) if name else ""


def _about_text(match: re.Match[str], training: Training) -> str:
    value = (match.groupdict().get("value") or "").strip("'\"")
    texts = _text_columns(training.rows)
    holding = [column for column, values in texts.items() if value in values] or list(texts)
    if holding and (not value or value in texts[holding[0]]):
        return _encoding(training.spec, holding[0], value or texts[holding[0]][0], list(texts))
    if training.target is not None and value in training.target.tolist():
        estimator = type(training.spec.estimator).__name__
        return TEXTS["text.target"].format(column=training.spec.target, value=value, estimator=estimator)
    return ""


def _encoding(spec: ModelSpec, column: Any, value: str, columns: list[Any]) -> str:
    """Return how to make numbers of a column of text."""
    estimator = type(spec.estimator).__name__
    is_text = any(feature.column == column and feature.kind == "text" for feature in spec.features)
    key = next((key for name, key in OWN_ENCODINGS.items() if estimator.startswith(name)), "text.choices")
    advice = TEXTS["text.words" if is_text else key].format(column=column, columns=columns, estimator=estimator)
    text = TEXTS["text.fitted" if spec.load_data is None else "text"]
    return text.format(column=column, value=value, advice=advice)


def _about_missing(_: re.Match[str], training: Training) -> str:
    rows = training.rows
    columns = [] if rows is None else [repr(column) for column in rows.columns[rows.isna().any()].tolist()]
    if not columns:
        subject = TEXTS["missing.none"]
    elif len(columns) == 1:
        subject = TEXTS["missing.column"].format(columns=columns[0])
    else:
        subject = TEXTS["missing.columns"].format(columns=", ".join(columns))
    return TEXTS["missing"].format(columns=subject)


def _about_classes(_: re.Match[str], training: Training) -> str:
    labels = [] if training.target is None else sorted(set(training.target.tolist()), key=str)
    some = ", ".join(f"{code}: {label!r}" for code, label in enumerate(map(str, labels[:MAX_CLASSES])))
    return TEXTS["classes"].format(classes=some + (", …" if len(labels) > MAX_CLASSES else ""))


def _about_categories(_: re.Match[str], training: Training) -> str:
    return TEXTS["categories"]


def _text_columns(rows: pd.DataFrame | None) -> dict[Any, list[str]]:
    """Return the texts of each column that holds some."""
    if rows is None:
        return {}
    columns = {column: rows[column].dropna().unique().tolist() for column in rows if rows[column].dtype.kind == "O"}
    return {column: values for column, values in columns.items() if any(isinstance(value, str) for value in values)}


KNOWN: tuple[tuple[str, Callable[[re.Match[str], Training], str]], ...] = (
    (r"inconsistent numbers of samples|incompatible row dimensions|concatenation axis must match", _about_vectorizer),
    (
        r"no terms remain|empty vocabulary|documents than min_df|should be 2D|has no attribute 'lower'",
        _about_vectorizer,
    ),
    (r"could not convert string to float: (?P<value>.*)", _about_text),
    (r"Bad value for num_feature.*?=\"(?P<value>.*?)\"", _about_text),  # CatBoost
    (r"dtypes (for data )?must be int, float(,| or) bool", _about_text),  # LightGBM, XGBoost
    (r"contains NaN|contains missing values", _about_missing),
    (r"Invalid classes inferred from unique values of `y`", _about_classes),
    (r"Found unknown categories", _about_categories),
)
