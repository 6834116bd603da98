"""An estimator that suits a table: a linear one or boosted trees, whichever predicts better, in a Pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share, format_value
from irislib._common.messages.new import REASONS
from irislib._modeling.seeding import seeded
from irislib._modeling.training_data import target_array
from irislib._project.python_text import Call, Node, flat, literal
from irislib._project.scores import cross_validated

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._project.target_kind import Target

__all__ = ["DATE_NUMBERS", "MODULES", "TEXTS", "Choice", "Inputs", "choose", "evaluated", "inputs_of"]

MODULES = {
    "ColumnTransformer": "sklearn.compose",
    "make_column_transformer": "sklearn.compose",
    "HistGradientBoostingClassifier": "sklearn.ensemble",
    "HistGradientBoostingRegressor": "sklearn.ensemble",
    "LogisticRegression": "sklearn.linear_model",
    "RidgeCV": "sklearn.linear_model",
    "SimpleImputer": "sklearn.impute",
    "TfidfVectorizer": "sklearn.feature_extraction.text",
    "FunctionTransformer": "sklearn.preprocessing",
    "OneHotEncoder": "sklearn.preprocessing",
    "StandardScaler": "sklearn.preprocessing",
    "TargetEncoder": "sklearn.preprocessing",
    "make_pipeline": "sklearn.pipeline",
}
LARGE = 10_000  # rows, from which on boosting is taken untried
TRIED = 1_500  # rows of a trial
MAX_COLUMNS, MAX_CLASSES = 150, 12  # of a trial: boosting takes long with more
ENOUGH = 60  # rows of a trial
FREQUENT = 10  # rows of a category; rarer ones are taken together
# Functions of model.py that its estimator uses.
DATE_NUMBERS = '''
def date_numbers(dates: pd.DataFrame) -> pd.DataFrame:
    """Make numbers of dates: days since 1970, month and day of the week."""
    numbers = {}
    for column, day in dates.items():
        numbers[f"{column}, days"] = (day - pd.Timestamp("1970-01-01")).dt.days
        numbers[f"{column}, month"] = day.dt.month
        numbers[f"{column}, weekday"] = day.dt.day_of_week
    return pd.DataFrame(numbers)
'''
TEXTS = '''
def texts(column: pd.DataFrame) -> list[str]:
    """Return the texts of a column, an empty one where it is missing."""
    return [text if isinstance(text, str) else "" for text in column.iloc[:, 0]]
'''


@dataclass(frozen=True)
class Inputs:
    """The columns of a table by what an estimator needs to have done with them.

    Attributes
    ----------
    choices, many, dates, texts, numbers : list
        Columns with few and with many categories, days, free text, and numbers with yes or no.
    has_gaps, texts_have_gaps : bool
        Whether a number is missing somewhere, or a text.
    has_rare : bool
        Whether a category has few rows.
    spare : set of str
        What of these is left out, but may be taken back.
    """

    choices: Sequence[Any] = ()
    many: Sequence[Any] = ()
    dates: Sequence[Any] = ()
    texts: Sequence[Any] = ()
    numbers: Sequence[Any] = ()
    has_gaps: bool = False
    texts_have_gaps: bool = False
    has_rare: bool = False
    spare: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Choice:
    """An estimator and why it was chosen.

    Attributes
    ----------
    node : Node
        The Python that makes it; it uses ``columns``, and ``date_numbers`` and ``texts`` where needed.
    names : set of str
        What of scikit-learn it uses.
    reason : str
    """

    node: Node
    names: frozenset[str]
    reason: str


def inputs_of(features: Sequence[Feature], frame: pd.DataFrame, spare: Sequence[Feature] = ()) -> Inputs:
    """Sort the columns of features."""
    groups: dict[str, list[Any]] = {"choices": [], "many": [], "dates": [], "texts": [], "numbers": []}
    for feature in features:
        groups[group_of(feature)].append(feature.column)
    rarest = [frame[column].value_counts().min() for column in groups["choices"] if frame[column].notna().any()]
    return Inputs(
        **groups,
        has_gaps=any(
            not feature.required for feature in [*features, *spare] if group_of(feature) in ("numbers", "dates")
        ),
        texts_have_gaps=any(not feature.required for feature in features if feature.column in groups["texts"]),
        has_rare=bool(rarest) and min(rarest) < FREQUENT and len(frame) >= 2 * FREQUENT,
        spare=frozenset(group_of(feature) for feature in spare) & {"choices", "dates"},
    )


def group_of(feature: Feature) -> str:
    """Return in which list of :class:`Inputs` the column of a feature is."""
    if feature.kind == "text":
        return "many" if feature.control == "suggestions" else "texts"
    return {"choice": "choices", "date": "dates"}.get(feature.kind, "numbers")


def choose(inputs: Inputs, x: pd.DataFrame, y: pd.Series, target: Target) -> Choice:
    """Return the estimator for a table.

    Parameters
    ----------
    inputs : Inputs
    x : DataFrame
        As the estimator gets it.
    y : Series
        The target.
    target : Target
    """
    linear, boosting = (_candidate(kind, inputs, y, target) for kind in ("linear", "boosting"))
    if inputs.texts:
        return Choice(*linear, REASONS["words"])
    if len(x) >= LARGE:
        return Choice(*boosting, REASONS["large"].format(rows=len(x)))
    if len(x.columns) > MAX_COLUMNS:
        return Choice(*linear, REASONS["wide"].format(count=len(x.columns)))
    if target.is_classifier and y.nunique() > MAX_CLASSES:
        return Choice(*linear, REASONS["classes"].format(count=y.nunique()))
    if len(x) < ENOUGH:
        return Choice(*linear, REASONS["small"].format(rows=len(x)))
    rows = x.sample(min(len(x), TRIED), random_state=0)
    scores = [_tried(node, inputs, rows, y[rows.index], target) for node, _ in (linear, boosting)]
    best = max((0, 1), key=lambda i: scores[i][0])
    texts = [REASONS[name].format(score=score[1]) for name, score in zip(("linear", "trees"), scores, strict=True)]
    part = REASONS["some" if len(rows) < len(x) else "all"].format(rows=len(rows))
    criterion = REASONS["loss" if target.is_classifier else "mean_error"]
    reason = REASONS["tried"].format(criterion=criterion, rows=part, best=texts[best], other=texts[1 - best])
    return Choice(*(linear, boosting)[best], reason)


def _candidate(kind: str, inputs: Inputs, y: pd.Series, target: Target) -> tuple[Node, frozenset[str]]:
    """Return the Python of an estimator, and the names that it uses."""
    is_linear = kind == "linear"
    scale: list[Node] = [Call("StandardScaler")] if is_linear else []
    impute: list[Node] = [Call("SimpleImputer", (), {"strategy": '"median"'})] if is_linear and inputs.has_gaps else []
    numbers = _chain([*impute, *scale]) or '"passthrough"'
    parts: list[Node] = []
    if inputs.choices or "choices" in inputs.spare:
        parts.append(Call("", (_one_hot(inputs.has_rare), 'columns("choice")')))
    if inputs.many:
        parts.append(Call("", (_chain([_many_values(target, y), *scale]), 'columns("text")')))
    if inputs.dates or "dates" in inputs.spare:
        days = Call("FunctionTransformer", ("date_numbers",))
        gaps: list[Node] = impute or ([Call("SimpleImputer", (), {"strategy": '"median"'})] if is_linear else [])
        parts.append(Call("", (_chain([days, *(gaps if inputs.has_gaps else []), *scale]), 'columns("date")')))
    for column in map(flat, map(literal, inputs.texts)):
        vectorizer = Call("TfidfVectorizer", (), {"max_features": "2000"})
        if inputs.texts_have_gaps:
            parts.append(Call("", (_chain([Call("FunctionTransformer", ("texts",)), vectorizer]), f"[{column}]")))
        else:
            parts.append(Call("", (vectorizer, column)))
    last = Call(*_last(is_linear, target, y))
    before: list[Node] = []
    if parts:
        before = [Call("make_column_transformer", parts, {"remainder": numbers})]
    elif is_linear:
        before = [*impute, *scale]
    node = _chain([*before, last])
    source = flat(node)
    return node, frozenset(name for name in MODULES if f"{name}(" in source)


def _chain(steps: Sequence[Node]) -> Node:
    if not steps:
        return ""
    return steps[0] if len(steps) == 1 else Call("make_pipeline", steps)


def _one_hot(has_rare: bool) -> Node:
    unknown: dict[str, Node] = {"handle_unknown": '"ignore"'}
    if has_rare:
        unknown = {"handle_unknown": '"infrequent_if_exist"', "min_frequency": str(FREQUENT)}
    return Call("OneHotEncoder", (), {**unknown, "sparse_output": "False"})


def _many_values(target: Target, y: pd.Series) -> Node:
    """Return the encoder of categories with many values: the average of the target, unless it has several classes."""
    if not target.is_classifier:
        return Call("TargetEncoder", (), {"target_type": '"continuous"'})  # whole numbers would be classes
    counts = y.value_counts()
    if len(counts) == 2 and counts.min() >= FREQUENT:
        return Call("TargetEncoder")
    named = {"handle_unknown": '"infrequent_if_exist"', "max_categories": "50", "sparse_output": "False"}
    return Call("OneHotEncoder", (), named)


def _last(is_linear: bool, target: Target, y: pd.Series) -> tuple[str, tuple[Node, ...], dict[str, Node]]:
    if not is_linear:
        name = f"HistGradientBoosting{'Classifier' if target.is_classifier else 'Regressor'}"
        # it holds out rows of each class to know when to stop, of which there must be two
        few = target.is_classifier and len(y) >= LARGE and y.value_counts().min() < FREQUENT
        return name, (), {"early_stopping": "False"} if few else {}
    if target.is_classifier:
        return "LogisticRegression", (), {"max_iter": "1000"}
    return "RidgeCV", (), {"alphas": "[0.1, 1, 10, 100, 1000]"}


def namespace(columns: Any) -> dict[str, Any]:
    """Return what the Python of an estimator uses, with ``columns`` as given."""
    import importlib

    import pandas as pd

    names: dict[str, Any] = {name: getattr(importlib.import_module(module), name) for name, module in MODULES.items()}
    names |= {"columns": columns, "pd": pd}
    exec(DATE_NUMBERS + TEXTS, names)  # noqa: S102 - our own text
    return names


def evaluated(node: Node, inputs: Inputs) -> Any:
    """Return the estimator that its Python makes."""
    kinds = {"choice": inputs.choices, "text": inputs.many, "date": inputs.dates}
    return eval(flat(node), namespace(lambda kind: list(kinds[kind])))  # noqa: S307 - our own text


def _tried(node: Node, inputs: Inputs, x: pd.DataFrame, y: pd.Series, target: Target) -> tuple[float, str]:
    """Return a score of an estimator by cross-validation, the greater the better, and in words."""
    estimator = seeded(evaluated(node, inputs), 0)
    scores = cross_validated(estimator, x, target_array(y), target.is_classifier, _width(inputs, x))
    if scores is None:
        return float("-inf"), REASONS["failed"]
    loss, second = scores
    if target.is_classifier:
        return -loss, REASONS["right"].format(share=format_share(second), loss=loss)
    return -loss, REASONS["error"].format(error=format_value(loss, 4), r2=second)


def _width(inputs: Inputs, x: pd.DataFrame) -> int:
    """Return about how many columns an estimator gets from its preprocessing."""
    categories = sum(int(x[column].nunique()) for column in inputs.choices)
    return max(1, len(inputs.numbers) + len(inputs.many) + 3 * len(inputs.dates) + categories)
