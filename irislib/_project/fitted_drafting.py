"""A description drafted of a fitted estimator, and of a table to evaluate it on."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.new import ESTIMATOR_FILE, FITTED
from irislib._description.feature import Feature
from irislib._description.inference import column_unit
from irislib._description.validation import check_values
from irislib._description.values import to_python
from irislib._modeling.fitted import draft_features, from_estimator
from irislib._project import column_checks
from irislib._project.drafting import Draft, draft_of, features_beside
from irislib._project.estimator_source import EstimatorSource, describe_estimator
from irislib._project.examples import example_of, pick_examples
from irislib._project.feature_limits import limit_reasons, refined
from irislib._project.findings import Finding, find, show, show_list
from irislib._project.fitted_columns import ColumnFacts, columns_of_estimator
from irislib._project.fitted_source import fitted_source
from irislib._project.model_source import Sketch
from irislib._project.python_text import flat, literal
from irislib._project.table_code import as_loaded, run_lines
from irislib._project.target_kind import Target, describe_target, known_values
from irislib._project.trial import Trial
from irislib.errors import DataError, IrislibError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib._project.table_source import TableSource

__all__ = ["draft_fitted", "model_of", "positive_class", "see"]

MOST_ROWS = 20_000  # to evaluate on, whenever a server starts
FEWEST_ROWS = 2
HINTS = ("many_gaps", "many_values", "words")  # what may be said of an input that cannot be left out


def draft_fitted(name: str, estimator: EstimatorSource, table: TableSource, about: str, target: Any) -> Draft:
    """Draft a model of a fitted estimator and a table to evaluate it on.

    Parameters
    ----------
    name : str
        Of the project, such as ``churn``.
    estimator : EstimatorSource
    table : TableSource
    about : str
        What messages call the table.
    target : str
        The column that the estimator predicts.

    Raises
    ------
    DataError
        If the table does not fit the estimator.
    """
    import numpy as np
    import pandas as pd

    columns, findings = _columns(estimator, table.frame, target, about)
    goal = _target(estimator, target, table.frame[target], about)
    frame = as_loaded(goal.lines, table.frame)
    features, seen = _features(estimator, frame, columns, target, about)
    rows = frame.sample(MOST_ROWS, random_state=0) if len(frame) > MOST_ROWS else frame
    inputs = rows[[feature.column for feature in features]]
    facts = {"name": name, "features": features, "target": str(target)}
    model = model_of(estimator, inputs, rows[target], "predict", about, **facts)
    x = model.evaluation.features
    trial = Trial(model, "", x, np.arange(len(x)))
    picked = pick_examples(features, x, pd.Series(model.evaluation.y_true), goal, trial)
    pairs = [(feature, frame[feature.column]) for feature in features]
    hints = [hint for f, values in pairs for hint in column_checks.hints(f.column, values, f.kind, target)]
    all_findings = (
        see("estimator", file=estimator.path.name, what=describe_estimator(estimator.estimator)),
        *([] if table.path == estimator.path else [see("rows", source=about)]),
        *findings,
        *seen,
        *goal.findings,
        *(hint for hint in hints if hint.kind in HINTS),
        *(find("source", note=note) for note in table.notes),
    )
    sketch = Sketch(
        name=name,
        table=table,
        rows=len(frame),
        target=goal,
        features=features,
        findings=all_findings,
        examples={title: example_of(features, x.iloc[row]) for title, row in picked.items()},
        limits=limit_reasons(features, frame),
    )
    most = MOST_ROWS if len(frame) > MOST_ROWS else None
    return draft_of(sketch, fitted_source(sketch, estimator, most), frame, trial)


def see(kind: str, about: Any = None, **facts: Any) -> Finding:
    """Return a finding of a kind in the file of an estimator, with its facts in its sentences."""
    seen, action = FITTED[kind]
    return Finding(kind, seen.format(**facts), action.format(**facts), about)


def model_of(estimator: EstimatorSource, x: Any, y: Any, refusal: str, about: str = "", **facts: Any) -> Model:
    """Return a model of the estimator; ``facts`` are further arguments of `from_estimator`.

    Raises
    ------
    DataError
        If it cannot predict, with the sentence that ``refusal`` names.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return from_estimator(estimator.estimator, x, y, **facts)
    except (IrislibError, ValueError) as error:
        raise DataError(ESTIMATOR_FILE[refusal].format(path=estimator.path, source=about, error=error)) from error


def _target(estimator: EstimatorSource, column: Any, values: pd.Series, about: str) -> Target:
    """Return what the estimator predicts, as the table has it."""
    known, lines, findings = known_values(column, values)
    if len(known) < FEWEST_ROWS:
        raise DataError(ESTIMATOR_FILE["no_rows"].format(source=about, rows=len(known), target=column))
    if not estimator.is_classifier:
        if known.dtype.kind not in "iuf":
            facts = {"target": column, "source": about, "value": show(known.iloc[0]), "path": estimator.path}
            raise DataError(ESTIMATOR_FILE["numbers"].format(type=type(estimator.estimator).__name__, **facts))
        return Target(column, False, lines, findings, unit=column_unit(str(column)))
    lines += _class_lines(estimator, known, flat(literal(column)))
    labels = run_lines(lines, {"data": values.to_frame()})[column]
    _require_classes(estimator, column, labels, about)
    positive, codes, more = positive_class(estimator, column, values)
    return Target(column, True, lines, [*findings, *more], positive=positive, unnamed_codes=codes)


def positive_class(
    estimator: EstimatorSource, column: Any, values: pd.Series
) -> tuple[Any, tuple[Any, ...], list[Finding]]:
    """Return the class of two that is looked for, codes that may need names, and what is to be checked of both."""
    positive, codes = _class_facts(estimator, column, values)
    findings = [see("target_codes", target=column, values=show_list(codes))] if codes else []
    if positive is not None:
        findings.append(find("positive", target=column, value=show(positive)))
    return positive, codes, findings


def _class_lines(estimator: EstimatorSource, known: pd.Series, name: str) -> list[str]:
    """Return the lines of load_data that give classes the type that the estimator predicts."""
    kinds = {type(label) for label in estimator.classes}
    texts = known.map(lambda label: isinstance(label, str))
    if texts.all():
        return [f"data[{name}] = data[{name}].str.strip()"] if (known != known.str.strip()).any() else []
    for kind in (int, bool):
        is_other = not known.map(lambda label, kind=kind: type(to_python(label)) is kind).all()
        if kinds == {kind} and known.dtype.kind in "biuf" and is_other and (known == known.astype(kind)).all():
            return [f"data[{name}] = data[{name}].astype({kind.__name__})"]
    return []


def _require_classes(estimator: EstimatorSource, column: Any, labels: pd.Series, about: str) -> None:
    classes = estimator.classes
    own = [to_python(label) for label in labels.unique()]
    if not (unknown := [label for label in own if label not in classes]):
        return
    facts = {"target": column, "source": about, "path": estimator.path}
    text = ESTIMATOR_FILE["classes"].format(unknown=show_list(unknown), known=show_list(classes), **facts)
    are_codes = all(isinstance(label, int) for label in classes) and all(isinstance(label, str) for label in unknown)
    raise DataError(f"{text} {ESTIMATOR_FILE['codes']}" if are_codes else text)


def _class_facts(estimator: EstimatorSource, column: Any, values: pd.Series) -> tuple[Any, tuple[Any, ...]]:
    """Return the class of two that is looked for, if one can be told, and codes that may need names."""
    classes = estimator.classes
    codes = tuple(classes) if all(isinstance(label, int | float) for label in classes) else ()
    try:
        kind = describe_target(column, values)
    except DataError:  # nothing can be learnt of these rows, but something may be measured
        return None, codes
    if len(classes) != 2 or not kind.is_classifier:
        return None, codes
    names = {name: code for code, name in kind.classes.items()}
    positive = names.get(kind.positive, kind.positive)
    return next((label for label in classes if label == positive), None), codes


def _columns(
    estimator: EstimatorSource, frame: pd.DataFrame, target: Any, about: str
) -> tuple[list[Any], list[Finding]]:
    """Return the columns that the estimator gets, in its order."""
    others = [column for column in frame.columns if column != target]
    facts = {"source": about, "path": estimator.path}
    columns = estimator.columns
    if columns is None:
        count = getattr(estimator.estimator, "n_features_in_", len(others))
        if count != len(others):
            raise DataError(ESTIMATOR_FILE["count"].format(given=len(others), count=count, target=target, **facts))
        return others, [see("unnamed", count=count, source=about)]
    if missing := [str(column) for column in columns if column not in others]:
        raise DataError(ESTIMATOR_FILE["missing"].format(columns=shorten_list(missing), **facts))
    extra = [str(column) for column in others if column not in columns]
    return columns, [see("extra", columns=shorten_list(extra), source=about)] if extra else []


def _features(
    estimator: EstimatorSource, frame: pd.DataFrame, columns: list[Any], target: Any, about: str
) -> tuple[list[Feature], list[Finding]]:
    """Return the features of these columns, with the categories that the estimator knows."""
    if estimator.saved is not None and not check_values(estimator.saved.spec.features, frame[columns])[1]:
        return list(estimator.saved.spec.features), []
    drafted = features_beside(target, frame[columns], lambda table: draft_features([table]))
    features = refined(drafted, frame)
    findings = []
    known = columns_of_estimator(estimator.estimator, columns)
    for i, feature in enumerate(features):
        if feature.kind != "choice" or feature.dtype:
            continue
        categories = known.get(feature.column, ColumnFacts()).categories
        further = [value for value in categories if value not in feature.choices]
        if further and all(isinstance(value, str) and value.strip() for value in further):
            features[i] = replace(feature, choices=tuple(sorted([*feature.choices, *further])))
            facts = {"column": feature.column, "values": show_list(further)}
            findings.append(see("categories", feature.column, source=about, **facts))
    if problems := check_values(features, frame[columns])[1]:
        raise DataError(ESTIMATOR_FILE["values"].format(source=about, path=estimator.path, problem=problems[0]))
    return features, findings
