"""Checks of a table as a whole: leaks of the target, order, groups, equal columns, repeated rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._project.column_checks import IDS, words_of
from irislib._project.findings import Finding, find

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._project.target_kind import Target

__all__ = ["computed", "equal_columns", "find_leaks", "group_columns", "same_gaps", "table_findings"]

SAMPLE = 4_000  # rows that leaks are looked for in
PERFECT, STRONG, MUCH = 0.998, 0.97, 0.8  # of what there is to know about the target beyond the baseline
ENOUGH = 40  # rows
FEW_ROWS = 100
MAX_PAIRS = 60  # numeric columns that are compared with each other
CORRELATED = 0.9999
COMPUTED, MOST_PARTS = 0.998, 3  # of a target that follows from a few columns
SAME, ELSEWHERE, GAPS = 0.8, 0.02, 10  # shares of gaps where the target is missing and where it is not; rows without it


def find_leaks(frame: pd.DataFrame, columns: Sequence[Any], target: Target) -> dict[Any, Finding]:
    """Return findings on columns that alone tell the target of rows that were held out."""
    if len(frame) < ENOUGH:
        return {}
    rows = frame.sample(min(len(frame), SAMPLE), random_state=0)
    y = rows[target.column]
    findings: dict[Any, Finding] = {}
    target_words = words_of(target.column)
    for column in columns:
        score, score_text = _alone(rows[column], y, target.is_classifier)
        facts = {"column": column, "target": target.column, "score": score_text}
        is_named = len("".join(target_words)) > 2 and _contains(words_of(column), target_words)
        if score >= PERFECT:
            findings[column] = find("leak", column, **facts)
        elif is_named and score >= MUCH:
            findings[column] = find("leak_name", column, **facts)
        elif score >= STRONG:
            findings[column] = find("strong", column, **facts)
    if len([one for one in findings.values() if one.kind == "leak"]) > max(1, len(columns) // 2):
        # so many are no leak, but an easy task
        return {column: finding for column, finding in findings.items() if finding.kind != "leak"}
    return findings


def _contains(name_words: list[str], part: list[str]) -> bool:
    return any(name_words[i : i + len(part)] == part for i in range(len(name_words)))


def _alone(values: pd.Series, y: pd.Series, is_classifier: bool) -> tuple[float, str]:
    """Return how much of the target a tree on one column tells on held-out rows, from 0 to 1, and in words."""
    import numpy as np
    from sklearn.metrics import r2_score, recall_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    x = _as_numbers(values).reshape(-1, 1)
    train = np.arange(len(x)) % 2 == 0  # the rows were sampled at random
    if is_classifier:
        labels = y.astype(str).to_numpy()
        counts = dict(zip(*np.unique(labels[train], return_counts=True), strict=True))
        is_known = np.array([counts.get(label, 0) >= 3 for label in labels])
        train, test = train & is_known, ~train & is_known
        if len(set(labels[train])) < 2 or not test.any():
            return 0.0, ""
        tree = DecisionTreeClassifier(min_samples_leaf=2, max_depth=8, random_state=0).fit(x[train], labels[train])
        predicted = tree.predict(x[test])
        score = recall_score(labels[test], predicted, labels=np.unique(labels[test]), average="macro")
        chance = 1 / len(set(labels[train]))
        return (score - chance) / (1 - chance), f"{format_share((labels[test] == predicted).mean())} right"
    numbers = y.to_numpy(dtype=float)
    regressor = DecisionTreeRegressor(min_samples_leaf=2, random_state=0).fit(x[train], numbers[train])
    score = r2_score(numbers[~train], regressor.predict(x[~train]))
    return float(score), f"R² {score:.3f}"


def computed(frame: pd.DataFrame, columns: Sequence[Any], target: Target) -> list[Finding]:
    """Return a finding if a number to predict follows from a few columns, such as a sum from its parts."""
    import numpy as np

    numeric = [c for c in columns if frame[c].dtype.kind in "iuf" and frame[c].isna().mean() < 0.2][:MAX_PAIRS]
    if target.is_classifier or not numeric:
        return []
    rows = frame[[*numeric, target.column]].replace([np.inf, -np.inf], np.nan).dropna()
    if len(rows) < ENOUGH:
        return []
    rows = rows.sample(min(len(rows), SAMPLE), random_state=0)
    y, x = rows[target.column].to_numpy(dtype=float), rows[numeric].to_numpy(dtype=float)
    train = np.arange(len(y)) % 2 == 0  # the rows were sampled at random
    if not y[~train].std():
        return []
    chosen: list[int] = []
    rest, design = y - y[train].mean(), np.ones((len(y), 1))
    while len(chosen) < MOST_PARTS:
        with np.errstate(all="ignore"):
            related = np.nan_to_num([abs(np.corrcoef(column[train], rest[train])[0, 1]) for column in x.T])
        related[chosen] = 0
        chosen.append(int(related.argmax()))
        design = np.column_stack([design, x[:, chosen[-1]]])
        rest = y - design @ np.linalg.lstsq(design[train], y[train], rcond=None)[0]
        score = 1 - float((rest[~train] ** 2).mean() / y[~train].var())
        if score >= COMPUTED:
            parts = [numeric[i] for i in sorted(chosen)]
            facts = {"target": target.column, "columns": ", ".join(map(str, parts)), "score": f"{score:.3f}"}
            return [find("computed", parts[0], **facts)]
    return []


def same_gaps(frame: pd.DataFrame, columns: Sequence[Any], target: Any) -> list[Finding]:
    """Return findings on columns that are empty where the target is missing, such as the time of an arrival.

    Parameters
    ----------
    frame : DataFrame
        With the rows in which the target is missing.
    columns : sequence
        Of the inputs.
    target : object
        The column of the target.
    """
    missing = frame[target].isna()
    if missing.sum() < GAPS or missing.all():
        return []
    shares: dict[Any, float] = {}
    for column in columns:
        gaps = frame[column].isna()
        share, elsewhere = float(gaps[missing].mean()), float(gaps[~missing].mean())
        if share >= SAME and elsewhere <= ELSEWHERE:
            shares[column] = share
    findings = [
        find("same_gaps", column, column=column, target=target, share=format_share(shares[column]))
        for column in sorted(shares, key=shares.__getitem__, reverse=True)
    ]
    return findings if 2 * len(findings) <= len(columns) else []  # rows that are empty altogether say nothing


def _as_numbers(values: pd.Series) -> np.ndarray:
    """Return a column as numbers: text by its order of frequency, gaps as a number of their own."""
    import numpy as np
    import pandas as pd

    if values.dtype.kind == "M":
        return np.asarray(values.astype("int64"), dtype=float)
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iufb":
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        low = float(np.nanmin(numbers)) if np.isfinite(numbers).any() else 0.0
        return np.asarray(np.nan_to_num(numbers, nan=low - 1, posinf=1e30, neginf=-1e30))
    codes, labels = pd.factorize(values.astype(object).map(str))
    counts = np.bincount(codes, minlength=len(labels))
    codes = np.where(counts[codes] >= 2, codes, -1)
    return np.asarray(codes, dtype=float)


def equal_columns(frame: pd.DataFrame, columns: Sequence[Any]) -> dict[Any, Finding]:
    """Return findings on columns that say the same as an earlier one, or follow from it."""
    import numpy as np
    import pandas as pd

    findings: dict[Any, Finding] = {}
    seen: dict[int, list[tuple[Any, np.ndarray]]] = defaultdict(list)
    for column in columns:
        codes, labels = pd.factorize(frame[column], use_na_sentinel=True)
        is_number = frame[column].dtype.kind in "iuf"
        if is_number and len(labels) > len(frame) / 2:
            codes = frame[column].to_numpy(dtype=float)
        for other, others in seen[len(labels)]:
            same_kind = (frame[other].dtype.kind in "iuf") == is_number
            if (
                len(labels) > 1
                and (same_kind or len(labels) <= len(frame) / 4)
                and np.array_equal(codes, others, equal_nan=codes.dtype.kind == "f" and others.dtype.kind == "f")
            ):
                findings[column] = find("equal", column, column=column, other=other)
                break
        else:
            seen[len(labels)].append((column, codes))
    return findings


def correlated(frame: pd.DataFrame, columns: Sequence[Any]) -> list[Finding]:
    """Return findings on numeric columns that follow from an earlier one."""
    import numpy as np

    numeric = [c for c in columns if frame[c].dtype.kind in "iuf" and frame[c].nunique() > 10][:MAX_PAIRS]
    if len(numeric) < 2:
        return []
    with np.errstate(all="ignore"):
        matrix = frame[numeric].corr().to_numpy()
    findings = []
    for j, column in enumerate(numeric):
        for i in range(j):
            if abs(matrix[i, j]) > CORRELATED:
                value = f"{matrix[i, j]:.4f}"
                findings.append(find("correlated", column, column=column, other=numeric[i], correlation=value))
                break
    return findings


def group_columns(frame: pd.DataFrame, columns: Sequence[Any]) -> dict[Any, Finding]:
    """Return findings on columns that name cases with several rows each, such as customers."""
    findings = {}
    for column in columns:
        name_words = words_of(column)
        is_id = bool(name_words) and name_words[-1] in IDS - {"key", "index", "no", "row"}
        count = frame[column].nunique()
        if is_id and count > 20 and 1.5 * count <= frame[column].notna().sum() and count > len(frame) / 200:
            facts = {"groups": f"{count:,}", "rows": f"{len(frame):,}"}
            findings[column] = find("groups", column, column=column, **facts)
    return findings


def table_findings(frame: pd.DataFrame, features: Sequence[Any], target: Target) -> list[Finding]:
    """Return findings on rows and on several columns together.

    Parameters
    ----------
    frame : DataFrame
        As load_data returns it.
    features : sequence
        The columns of the features.
    target : Target
    """
    findings = [*_row_findings(frame, features, target), *correlated(frame, features), *_one_hot(frame, features)]
    if len(frame) < FEW_ROWS:
        findings.append(find("few_rows", rows=len(frame)))
    return findings


def _row_findings(frame: pd.DataFrame, features: Sequence[Any], target: Target) -> list[Finding]:
    import pandas as pd

    findings = []
    with_target = [*features, target.column]
    hashes = pd.util.hash_pandas_object(frame[with_target], index=False)
    rows = pd.util.hash_pandas_object(frame[list(features)], index=False)
    objects = [column for column, dtype in frame.dtypes.items() if dtype.kind == "O"]
    unhashable = {column for column in objects if not frame[column].map(pd.api.types.is_hashable).all()}
    hashable = [column for column in frame if column not in unhashable]
    all_rows = pd.util.hash_pandas_object(frame[hashable], index=False)
    if count := int(all_rows.duplicated().sum()):
        findings.append(find("duplicates", count=f"{count:,}"))
    different = hashes.groupby(rows.to_numpy()).nunique()
    conflicting = int(rows.isin(different.index[different > 1]).sum())
    if conflicting and target.is_classifier and conflicting >= len(frame) / 200:
        findings.append(find("conflicts", count=f"{conflicting:,}", target=target.column))
    for column in features:
        days = frame[column]
        is_sorted = days.is_monotonic_increasing or days.is_monotonic_decreasing
        if days.dtype.kind == "M" and days.nunique() > 10 and is_sorted:
            findings.append(find("time_order", column, column=column))
            break
    return findings


def _one_hot(frame: pd.DataFrame, features: Collection[Any]) -> list[Finding]:
    """Return findings on columns of yes and no of which each row has one."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for column in features:
        if (match := re.match(r"(.+?)[_\s.:=-]", str(column))) and set(frame[column].unique()) <= {0, 1}:
            groups[match[1]].append(column)
    findings = []
    for start, columns in groups.items():
        if len(columns) >= 3 and bool((frame[columns].sum(axis=1) == 1).all()):
            first_two = f"{columns[0]}, {columns[1]}, …"
            findings.append(find("one_hot", columns[0], columns=first_two, count=len(columns), start=start))
    return findings
