"""A description drafted of a fitted estimator alone, where its data are gone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.messages.new import ESTIMATOR_FILE, SOURCE
from irislib._description.feature import Feature
from irislib._description.inference import column_unit, infer_features
from irislib._description.validation import check_values
from irislib._description.values import to_python
from irislib._modeling.without_rows import made_up_rows
from irislib._project.drafting import Draft, draft_of, features_beside
from irislib._project.estimator_source import EstimatorSource, describe_estimator
from irislib._project.findings import Finding, show, show_list
from irislib._project.fitted_columns import ColumnFacts, columns_of_estimator
from irislib._project.fitted_drafting import model_of, positive_class, see
from irislib._project.fitted_source import fitted_source
from irislib._project.model_source import Sketch
from irislib._project.table_source import TableSource
from irislib._project.target_kind import Target
from irislib._project.trial import Trial
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["TARGET", "draft_alone"]

TARGET = "prediction"  # what it predicts, if nobody says
MAX_EXAMPLES = 4
DIGITS = 3  # of a default


def draft_alone(name: str, estimator: EstimatorSource, target: str) -> Draft:
    """Draft a model of a fitted estimator, of what is in its file.

    Parameters
    ----------
    name : str
        Of the project, such as ``churn``.
    estimator : EstimatorSource
    target : str
        What people call what it predicts.

    Raises
    ------
    DataError
        If it does not say how many columns it takes, or cannot predict what was drafted.
    """
    import numpy as np
    import pandas as pd

    columns, seen = _columns(estimator)
    facts = columns_of_estimator(estimator.estimator, columns)
    pairs = _features(columns, facts, target)
    features = [feature for feature, _ in pairs]
    goal = _target(estimator, target)
    model = model_of(estimator, None, None, "alone", name=name, features=features, target=target)
    findings = (
        see("estimator", file=estimator.path.name, what=describe_estimator(estimator.estimator)),
        see("alone"),
        *seen,
        *(finding for _, several in pairs for finding in several),
        *goal.findings,
    )
    examples = _examples(model, features, facts)
    sketch = Sketch(
        name=name,
        table=TableSource(pd.DataFrame(), ""),
        rows=0,
        target=goal,
        features=features,
        findings=findings,
        examples=examples,
    )
    trial = Trial(model, "", model.evaluation.trial_rows, np.arange(0))
    return draft_of(sketch, fitted_source(sketch, estimator, None), sketch.table.frame, trial)


def _columns(estimator: EstimatorSource) -> tuple[list[Any], list[Finding]]:
    """Return the names of the estimator's columns; if it has none, those that stand for them."""
    if estimator.columns is not None:
        return estimator.columns, []
    count = getattr(estimator.estimator, "n_features_in_", None)
    if count is None:
        raise DataError(ESTIMATOR_FILE["no_count"].format(path=estimator.path))
    return [f"x{position}" for position in range(count)], [see("unnamed_alone", count=count)]


def _features(
    columns: Sequence[Any], facts: Mapping[Any, ColumnFacts], target: str
) -> list[tuple[Feature, list[Finding]]]:
    import pandas as pd

    table = pd.DataFrame([[0.25] * len(columns), [1.75] * len(columns)], columns=columns)
    drafted = infer_features(table) if target in columns else features_beside(target, table)
    pairs = []
    for column, draft in zip(columns, drafted, strict=True):
        known = facts.get(column, ColumnFacts())
        shared = {"label": draft.label, "column": draft.column, "required": not known.is_optional}
        pairs.append(_feature(draft, column, known, shared))
    return pairs


def _feature(draft: Feature, column: Any, known: ColumnFacts, shared: dict[str, Any]) -> tuple[Feature, list[Finding]]:
    """Return the feature of a column, and what the file says of it."""
    seen = [see("optional", column, column=column)] if known.is_optional else []
    if known.categories and all(isinstance(value, str | int | float) for value in known.categories):
        if {type(value) for value in known.categories} == {bool}:
            return Feature(draft.name, "boolean", default=False, **shared), seen
        values = {"count": len(known.categories), "values": show_list(known.categories)}
        shared |= {"dtype": "category"} if known.is_category else {}
        choice = Feature(draft.name, "choice", choices=known.categories, default=known.categories[0], **shared)
        return choice, [see("categories_alone", column, column=column, **values), *seen]
    if known.is_text:
        return Feature(draft.name, "text", control="textarea", **shared), [see("text", column, column=column), *seen]
    default = None if known.typical is None else float(f"{known.typical:.{DIGITS}g}")
    number = Feature(draft.name, unit=draft.unit, default=default, **shared)
    ends = {end: show(float(f"{getattr(known, end) or 0:.{DIGITS + 1}g}")) for end in ("low", "high", "typical")}
    return number, [see(known.about or "nothing", column, column=column, **ends), *seen]


def _target(estimator: EstimatorSource, target: str) -> Target:
    if not estimator.is_classifier:
        return Target(target, False, [], [], unit=column_unit(target))
    import pandas as pd

    classes = pd.Series(estimator.classes * 10, name=target)  # as often as a table would have them
    positive, codes, findings = positive_class(estimator, target, classes)
    return Target(target, True, [], findings, positive=positive, unnamed_codes=codes)


def _examples(model: Model, features: Sequence[Feature], facts: Mapping[Any, ColumnFacts]) -> dict[str, dict[str, Any]]:
    """Return made-up rows with different answers, by their titles."""
    import numpy as np

    limited = []
    for feature in features:
        known = facts.get(feature.column, ColumnFacts())
        if feature.kind == "number" and known.low is not None and known.high is not None:
            feature = replace(feature, low=known.low, high=known.high)
        limited.append(feature)
    rows = made_up_rows(limited)
    for feature in features:
        if feature.kind == "number":
            rows[feature.name] = [float(f"{number:.{DIGITS}g}") for number in rows[feature.name]]
    frame, problems = check_values(features, rows)
    if problems:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = np.asarray(model.estimator.predict(frame)).ravel()
        shares = model.estimator.predict_proba(frame).max(axis=1) if model.has_probabilities else np.ones(len(rows))
    return {title: _row(rows, position) for title, position in _picked(model, predicted, shares)}


def _picked(model: Model, predicted: Any, shares: Any) -> list[tuple[str, int]]:
    """Return titles and positions of rows: one of each class, or of the smallest and the largest prediction."""
    if model.classes is not None:
        labels = list(dict.fromkeys(predicted.tolist()))[:MAX_EXAMPLES]
        rows = [int((shares * (predicted == label)).argmax()) for label in labels]
        return [(SOURCE["made_up"].format(answer=label), row) for label, row in zip(labels, rows, strict=True)]
    ends = dict.fromkeys((int(predicted.argmin()), int(predicted.argmax())))
    return [(SOURCE["made_up"].format(answer=f"{float(predicted[end]):.{DIGITS}g}"), end) for end in ends]


def _row(rows: pd.DataFrame, position: int) -> dict[str, Any]:
    return {str(name): to_python(value) for name, value in rows.iloc[position].items()}
