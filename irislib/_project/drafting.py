"""A description of a model drafted from a table: its features, target, estimator and examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from irislib._common.messages.new import TEXTS
from irislib._description.feature import Feature
from irislib._description.inference import infer_features
from irislib._description.validation import check_values
from irislib._project import column_checks, table_checks
from irislib._project.estimator_choice import Choice, choose, inputs_of
from irislib._project.examples import example_of, pick_examples, usable_rows
from irislib._project.feature_limits import limit_reasons, refined
from irislib._project.findings import Finding, by_importance, find
from irislib._project.model_source import Sketch, model_source, title_of
from irislib._project.table_code import as_loaded
from irislib._project.target_kind import Target, describe_target
from irislib._project.trial import Trial, result_findings, try_source
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._project.table_source import TableSource

__all__ = ["Draft", "draft_model", "draft_of", "features_beside"]

NAMING = ("id", "personal", "groups")  # why columns are left out whose values may name somebody
FEW = 3  # columns that a message names


@dataclass(frozen=True)
class Draft:
    """A draft of a model.

    Attributes
    ----------
    source : str
        The text of model.py.
    findings : tuple of Finding
        The most important first.
    features : sequence of Feature
    target : Target
    estimator : Choice
    examples : dict of str to dict
        Rows by their titles.
    title : str
        What people call the model.
    frame : DataFrame
        As load_data of model.py returns it.
    trial : Trial
        The model of model.py.
    """

    source: str
    findings: tuple[Finding, ...]
    features: Sequence[Feature]
    target: Target
    estimator: Choice
    examples: Mapping[str, Mapping[str, Any]]
    title: str
    frame: pd.DataFrame
    trial: Trial


def draft_model(name: str, table: TableSource, target: Any) -> Draft:
    """Draft a model of a table.

    Parameters
    ----------
    name : str
        Of the project, such as ``churn``.
    table : TableSource
    target : str
        The column to predict.

    Raises
    ------
    DataError
        If nothing can be learnt from it.
    """
    goal = describe_target(target, table.frame[target])
    frame, changes = _changed(as_loaded(goal.lines, table.frame), target)
    used, left_out = _sorted_columns(frame, goal)
    left_out, features, spare = _features(frame, used, left_out, target)
    columns = [feature.column for feature in features]
    x, _ = check_values(features, frame[columns])
    inputs = inputs_of(features, x, spare)
    choice = choose(inputs, x, frame[target], goal)
    strong = [finding for finding in left_out.values() if finding.kind == "strong"]
    left_out = {column: finding for column, finding in left_out.items() if finding.kind != "strong"}
    changes = {column: change for column, change in changes.items() if _is_kept(column, left_out)}
    findings = [
        *goal.findings,
        *(finding for _, finding in changes.values()),
        *left_out.values(),
        *strong,
        *_hints(features, frame, target),
        *table_checks.same_gaps(table.frame, [column for column in columns if column in table.frame], target),
        *table_checks.computed(frame, columns, goal),
        *table_checks.table_findings(frame, columns, goal),
        *(find("source", note=note) for note in table.notes),
    ]
    sketch = Sketch(
        name=name,
        table=table,
        rows=len(frame),
        target=goal,
        features=features,
        spare=spare,
        left_out=left_out,
        changes=changes,
        findings=by_importance(findings),
        choice=choice,
        limits=limit_reasons(features, frame),
    )
    trial = try_source(model_source(sketch), frame, x)
    sketch = _with_results(sketch, x, frame, trial)
    return draft_of(sketch, model_source(sketch), frame, trial)


def draft_of(sketch: Sketch, source: str, frame: pd.DataFrame, trial: Trial) -> Draft:
    """Return a draft with the facts of a sketch; ``source`` is the text of its model.py."""
    facts = (sketch.features, sketch.target, sketch.choice, sketch.examples, title_of(sketch.name))
    return Draft(source, tuple(sketch.findings), *facts, frame, trial)


def _with_results(sketch: Sketch, x: pd.DataFrame, frame: pd.DataFrame, trial: Trial) -> Sketch:
    """Add to a sketch what its trained model shows: examples and findings."""
    picked = pick_examples(sketch.features, x, frame[sketch.target.column], sketch.target, trial)
    return replace(
        sketch,
        findings=by_importance([*sketch.findings, *result_findings(trial, sketch.target.column)]),
        examples={title: example_of(sketch.features, x.iloc[row]) for title, row in picked.items()},
        further=_further_examples(frame, sketch.spare, sketch.left_out, picked),
    )


def _hints(features: Sequence[Feature], frame: pd.DataFrame, target: Any) -> list[Finding]:
    """Return what is to be checked about the columns of features."""
    findings: list[Finding] = []
    for feature in features:
        findings += column_checks.hints(feature.column, frame[feature.column], feature.kind, target)
    return column_checks.even_hints(findings, frame[[feature.column for feature in features]])


def _further_examples(
    frame: pd.DataFrame, spare: Sequence[Feature], left_out: Mapping[Any, Finding], picked: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return what the examples have in columns that may be taken back, but for those that may name somebody."""
    features = [feature for feature in spare if left_out[feature.column].kind not in NAMING]
    if not features:
        return {title: {} for title in picked}
    x, _ = check_values(features, frame[[feature.column for feature in features]])
    usable = usable_rows(features, x)
    return {title: example_of(features, x.iloc[row]) if usable[row] else {} for title, row in picked.items()}


def _changed(frame: pd.DataFrame, target: Any) -> tuple[pd.DataFrame, dict[Any, column_checks.Change]]:
    """Return a frame of which features can be made, and by column what load_data has to change for it."""
    changes = {}
    for column in frame.columns:
        if column == target:
            continue
        change = column_checks.change_of(column, frame[column])
        if change:
            changes[column] = change
    return as_loaded([line for lines, _ in changes.values() for line in lines], frame), changes


def _is_kept(column: Any, left_out: Mapping[Any, Finding]) -> bool:
    return column not in left_out or left_out[column].kind in ("leak", "leak_name", "strong", "equal")


def _sorted_columns(frame: pd.DataFrame, target: Target) -> tuple[list[Any], dict[Any, Finding]]:
    """Return the columns that may be inputs, and why others are left out; a strong one is in both."""
    columns = [column for column in frame.columns if column != target.column]
    left_out: dict[Any, Finding] = {}
    for column in columns:
        try:
            infer_features(frame[[column]])
        except DataError as error:
            left_out[column] = find("unused", column, column=column, reason=str(error).partition("; ")[0] + ".")
            continue
        if reason := column_checks.why_left_out(column, frame[column]):
            left_out[column] = reason
    used = [column for column in columns if column not in left_out]
    left_out |= table_checks.group_columns(frame, used)
    used = [column for column in columns if column not in left_out]
    left_out |= table_checks.equal_columns(frame, used)
    used = [column for column in columns if column not in left_out]
    leaks = table_checks.find_leaks(frame, used, target)
    others = [column for column in used if column not in leaks or leaks[column].kind == "strong"]
    if not others:  # better a suspicious model than none
        others, leaks = used, {}
    return others, left_out | leaks


def features_beside(
    target: Any, frame: pd.DataFrame, draft: Callable[[pd.DataFrame], Sequence[Feature]] = infer_features
) -> list[Feature]:
    """Return the features of a table without its target, none of which gets the target's name."""
    drafted = draft(frame.assign(**{str(target): 0}))
    return [feature for feature in drafted if feature.column != target]


def _features(
    frame: pd.DataFrame, used: list[Any], left_out: dict[Any, Finding], target: Any
) -> tuple[dict[Any, Finding], tuple[Feature, ...], tuple[Feature, ...]]:
    """Return why columns are left out, the features of the others, and features that may be taken back."""
    for _ in range(len(used)):
        if not used:
            break
        usable = [c for c in frame.columns if c in used or (c in left_out and left_out[c].kind != "unused")]
        drafted = refined(features_beside(target, frame[usable]), frame)
        features = tuple(feature for feature in drafted if feature.column in used)
        spare = tuple(feature for feature in drafted if feature.column not in used)
        problems = check_values(features, frame[[feature.column for feature in features]])[1]
        if not problems:
            return left_out, features, spare
        names = {feature.name: feature.column for feature in features}
        bad = {names[p.feature]: p.message for p in problems if p.feature in names}
        if not bad:
            raise DataError(str(problems[0]))
        left_out = left_out | {c: find("unused", c, column=c, reason=message) for c, message in bad.items()}
        used = [column for column in used if column not in bad]
    reasons = " ".join(finding.seen for finding in [*left_out.values()][:FEW])
    raise DataError(TEXTS["columns"].format(target=target, reasons=reasons))
