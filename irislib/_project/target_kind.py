"""The kind of a target: two classes, several classes, or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.messages.new import TEXTS
from irislib._description.inference import column_unit
from irislib._description.values import to_python
from irislib._project.column_checks import AMOUNTS, names_rows, words_of
from irislib._project.findings import Finding, find, show, show_list
from irislib._project.python_text import flat, literal
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Target", "describe_target", "known_values"]

LEAST_ROWS = 10
FEW = 10  # different whole numbers, which may be codes of classes
RARE = 10  # rows of a class
MANY = 50  # classes
IMBALANCE = 0.1
SKEW = 3.0
MOSTLY = 0.5  # the share of numbers among different texts, from which on the others are taken for slips
RARER = 0.4  # the share below which the rarer of two classes is taken for the one that is looked for
YES = {"yes", "y", "true", "t", "1", "1.0", "ja", "j", "oui", "si", "sí", "positive", "pos", "present", "sick", "ill"}
YES |= {"churned", "churn", "left", "default", "fraud", "spam", "malignant", "bad", "survived", "failed", "failure"}
YES |= {"fail", "died", "dead", "cancelled", "canceled", "won", "win", "approved", "disease", "abnormal", ">50k"}
NO = {"no", "n", "false", "f", "0", "nein", "non", "negative", "neg", "absent", "healthy", "stayed", "ham", "good"}
NO |= {"benign", "alive", "normal", "passed", "pass", "ok", "none", "lost", "<=50k"}


@dataclass(frozen=True)
class Target:
    """The target of a table.

    Attributes
    ----------
    column : str
    is_classifier : bool
    lines : list of str
        Of load_data: what has to be done with the target and its rows.
    findings : list of Finding
    unit : str
        Of numbers.
    classes : dict
        Names of codes, for ``ModelSpec(classes=…)``.
    positive : object
        The name of the positive class of two; None if there are more.
    unnamed_codes : tuple
        Codes whose names the table does not say.
    is_skewed : bool
    """

    column: Any
    is_classifier: bool
    lines: list[str]
    findings: list[Finding]
    unit: str = ""
    classes: Mapping[Any, str] = field(default_factory=dict)
    positive: Any = None
    unnamed_codes: tuple[Any, ...] = ()
    is_skewed: bool = False


def describe_target(column: Any, values: pd.Series) -> Target:
    """Return what the target is.

    Raises
    ------
    DataError
        If nothing can be learnt of it.
    """
    import pandas as pd

    if not values.notna().any():
        raise DataError(TEXTS["target.empty"].format(target=column))
    known, lines, findings = known_values(column, values)
    if len(known) < LEAST_ROWS:
        raise DataError(TEXTS["rows"].format(rows=len(known), target=column, least=LEAST_ROWS))
    if known.nunique() == 1:
        raise DataError(TEXTS["target.constant"].format(target=column, value=show(known.iloc[0])))
    contents = pd.api.types.infer_dtype(known, skipna=True)
    if contents not in ("string", "categorical", "boolean", "integer", "floating", "mixed-integer-float"):
        raise DataError(TEXTS["target.kind"].format(target=column, what=_KINDS.get(contents, f"{contents} values")))
    if contents == "categorical" or contents == "boolean":
        known = known.astype(object)
    if contents in ("string", "categorical"):
        _check_text(column, known)
        return _classes(column, known, lines, findings, values)
    numbers = known.astype(float)
    is_whole = bool((numbers == numbers.round()).all())
    if contents == "boolean" or (is_whole and known.nunique() <= FEW and _are_classes(column, numbers)):
        return _classes(column, known, lines, findings, values)
    if is_whole and _are_ids(column, numbers):
        raise DataError(TEXTS["target.id"].format(target=column))
    if is_whole and known.nunique() <= FEW:
        listed = show_list(sorted(known.unique()), FEW)
        findings.append(find("target_few", target=column, count=known.nunique(), values=listed))
    is_skewed = bool(numbers.min() >= 0 and numbers.skew() > SKEW)
    if is_skewed:
        facts = {"median": show(numbers.median()), "largest": show(numbers.max())}
        findings.append(find("skewed_target", target=column, **facts))
    return Target(column, False, lines, findings, unit=column_unit(str(column)), is_skewed=is_skewed)


def known_values(column: Any, values: pd.Series) -> tuple[pd.Series, list[str], list[Finding]]:
    """Return the values that something can be learnt of, the lines of load_data that leave out others, and why."""
    known = values.dropna()
    lines, findings, name = [], [], flat(literal(column))
    if missing := len(values) - len(known):
        findings.append(find("target_gaps", target=column, count=f"{missing:,}", rows=f"{len(values):,}"))
        lines.append(f"data = data.dropna(subset=[{name}])")
    if known.dtype.kind == "f" and (infinite := int((known.abs() == float("inf")).sum())):
        findings.append(find("target_infinite", target=column, count=f"{infinite:,}"))
        lines.append(f'data = data[data[{name}].abs() != float("inf")]')
        known = known[known.abs() != float("inf")]
    return known, lines, findings


_KINDS = {
    "datetime64": "days",
    "datetime": "days",
    "date": "days",
    "time": "times of day",
    "timedelta64": "durations",
    "mixed": "values of several types",
    "mixed-integer": "both numbers and text",
}


def _check_text(column: Any, known: pd.Series) -> None:
    import pandas as pd

    if known.nunique() > 0.9 * len(known) and known.nunique() > LEAST_ROWS:
        is_number = pd.to_numeric(known.astype(object), errors="coerce").notna()
        if is_number.mean() > MOSTLY:
            raise DataError(TEXTS["target.mixed"].format(target=column, value=show(known[~is_number].iloc[0])))
        raise DataError(TEXTS["target.text"].format(target=column))


def _are_ids(column: Any, numbers: pd.Series) -> bool:
    is_exact = numbers.abs().max() < 2**53  # larger whole numbers are rounded
    return bool(is_exact) and AMOUNTS.isdisjoint(words_of(column)) and names_rows(column, numbers.astype("int64"))


def _are_classes(column: Any, numbers: pd.Series) -> bool:
    """Return whether a few whole numbers are rather codes of classes than amounts."""
    if numbers.nunique() == 2:
        return True
    return AMOUNTS.isdisjoint(words_of(column)) and len(numbers) >= 5 * numbers.nunique()


def _classes(column: Any, known: pd.Series, lines: list[str], findings: list[Finding], values: pd.Series) -> Target:
    """Return a target of classes."""
    data = f"data[{flat(literal(column))}]"
    if known.map(type).eq(str).all() and (known != known.str.strip()).any():
        lines.append(f"{data} = {data}.str.strip()")
        known = known.str.strip()
    counts = known.value_counts()
    if single := [to_python(value) for value in counts.index[counts == 1]]:
        name = flat(literal(column))
        lines.append(f"data = data[data[{name}].map(data[{name}].value_counts()) > 1]")
        facts = {"target": column, "count": f"{len(single):,} classes" if len(single) > 1 else "1 class"}
        findings.append(find("one_row_class", **facts, classes=show_list(single)))
        counts = counts[counts > 1]
        if len(counts) < 2:
            raise DataError(TEXTS["target.text"].format(target=column))
    is_number = all(isinstance(to_python(value), int | float) for value in counts.index)
    is_bool = all(isinstance(to_python(value), bool) for value in counts.index)
    if is_number and not is_bool and values.dtype.kind == "f":
        lines.append(f"{data} = {data}.astype(int)")
    findings += _class_findings(column, counts)
    classes, positive, unnamed = _names(column, counts, is_number, is_bool)
    if unnamed:
        findings.append(find("target_codes", target=column, values=show_list(unnamed, FEW)))
    if positive is not None:
        findings.append(find("positive", target=column, value=show(positive)))
    return Target(column, True, lines, findings, "", classes, positive, unnamed)


def _class_findings(column: Any, counts: pd.Series) -> list[Finding]:
    findings = []
    if len(rare := counts[counts < RARE]):
        texts = [f"{show(value)} has {count} rows" for value, count in rare.items()]
        listed = ", ".join([*texts[:3], *([f"and {len(texts) - 3:,} more"] if len(texts) > 3 else [])])
        findings.append(find("rare_class", target=column, classes=listed))
    if len(counts) > MANY:
        findings.append(find("many_classes", target=column, count=len(counts)))
    if len(counts) == 2 and (share := counts.iloc[-1] / counts.sum()) < IMBALANCE:
        facts = {"share": format_share(share), "value": show(counts.index[-1])}
        findings.append(find("imbalance", target=column, **facts))
    return findings


def _names(
    column: Any, counts: pd.Series, is_number: bool, is_bool: bool
) -> tuple[dict[Any, str], Any, tuple[Any, ...]]:
    """Return names of codes, the positive class of two, and codes that have no names."""
    labels = sorted(map(to_python, counts.index), key=str)
    if is_bool:
        return {False: "no", True: "yes"}, "yes", ()
    if is_number:
        codes = sorted(int(label) for label in labels)
        return ({0: "no", 1: "yes"}, "yes", ()) if codes == [0, 1] else ({}, None, tuple(codes))
    if len(labels) != 2:
        return {}, None, ()
    texts = [str(label).casefold().strip(" .") for label in labels]
    for text, label in zip(texts, labels, strict=True):
        if text in YES or (text not in NO and any(other in NO for other in texts if other != text)):
            return {}, label, ()
    is_rare = counts.iloc[-1] < RARER * counts.sum()
    return {}, to_python(counts.index[-1]) if is_rare else None, ()
