"""Examples from real rows: ones that the model is right about, of different classes or sizes of the target."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, readable_name
from irislib._description.values import is_empty, to_python
from irislib._modeling.seeding import seeded
from irislib._modeling.training import target_array
from irislib._project.estimator_choice import Choice, Inputs, evaluated

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._project.target_kind import Target

__all__ = ["example_of", "pick_examples", "predicted_examples"]

ROWS = 1_000  # that the model for this is trained on, and as many to choose from
MAX_EXAMPLES = 4
LONGEST = 200  # of a text
PRIVATE = re.compile(r"@|\d{5,}|https?:|www\.")  # an address, a long number or a link in a text


def pick_examples(
    features: Sequence[Feature], x: pd.DataFrame, y: pd.Series, target: Target, choice: Choice, inputs: Inputs
) -> dict[str, int]:
    """Return the positions of rows by their titles, of rows without text that may be personal."""
    import numpy as np

    order = np.random.default_rng(0).permutation(len(x))[: 2 * ROWS]
    half = len(order) // 2
    train, rest = order[:half], order[half:]
    labels = target_array(y)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes with few rows, which a finding says
            estimator = seeded(evaluated(choice.node, inputs), 0).fit(x.iloc[train], labels[train])
            predicted = np.asarray(estimator.predict(x.iloc[rest])).ravel()
            shares = estimator.predict_proba(x.iloc[rest]).max(axis=1) if target.is_classifier else None
    except ValueError:  # half of a small table may lack a class
        predicted, shares = labels[rest], np.ones(len(rest)) if target.is_classifier else None
    picked = predicted_examples(features, x.iloc[rest], target, labels[rest], predicted, shares)
    return {title: int(rest[position]) for title, position in picked.items()}


def predicted_examples(
    features: Sequence[Feature], x: pd.DataFrame, target: Target, true: np.ndarray, predicted: np.ndarray, shares: Any
) -> dict[str, int]:
    """Return the positions of rows by their titles, of rows that were predicted already; see `pick_examples`."""
    pick = _of_classes if target.is_classifier else _of_numbers
    examples = {}
    for title, positions in pick(target, true, predicted, shares):
        for position in positions:
            if example_of(features, x.iloc[position]):
                examples[title] = int(position)
                break
    return examples


def _of_classes(
    target: Target, true: np.ndarray, predicted: np.ndarray, shares: Any
) -> Iterable[tuple[str, Sequence[int]]]:
    """Yield for the most frequent classes the rows that are rightly predicted, the most typical first."""
    import numpy as np

    values, counts = np.unique(true.astype(str), return_counts=True)
    for text in values[np.argsort(-counts, kind="stable")][:MAX_EXAMPLES]:
        right = np.flatnonzero((true.astype(str) == text) & (predicted.astype(str) == text))
        if len(right):
            typical = np.quantile(shares[right], 0.75)
            positions = right[np.argsort(abs(shares[right] - typical), kind="stable")]
            label = to_python(true[right[0]])
            yield f"{readable_name(str(target.column))}: {target.classes.get(label, label)}", positions.tolist()


def _of_numbers(target: Target, true: np.ndarray, predicted: np.ndarray, _: Any) -> Iterable[tuple[str, Sequence[int]]]:
    """Yield rows with a low, a middling and a high target, the best predicted first."""
    import numpy as np

    numbers = true.astype(float)
    ranks = np.argsort(np.argsort(numbers, kind="stable"), kind="stable") / max(len(numbers) - 1, 1)
    for name, rank in (("low", 0.1), ("middling", 0.5), ("high", 0.9)):
        near = np.flatnonzero(abs(ranks - rank) <= 0.1)
        if len(near):
            positions = near[np.argsort(abs(predicted[near] - numbers[near]), kind="stable")]
            number = format_value(float(numbers[positions[0]]), 3)
            label = readable_name(str(target.column), target.unit)
            yield f"{label}, {name}: {number} {target.unit}".strip(), positions.tolist()


def example_of(features: Sequence[Feature], row: pd.Series) -> dict[str, Any] | None:
    """Return a row by the names of the features, or None if a text in it may be personal."""
    example = {}
    for feature in features:
        value = to_python(row[feature.column])
        if is_empty(value):
            continue
        if feature.kind == "text" and (len(value) > LONGEST or PRIVATE.search(value)):
            return None
        if feature.kind == "text" and feature.control == "suggestions" and value not in feature.choices:
            return None
        example[feature.name] = _plain(feature, value)
    return example


def _plain(feature: Feature, value: Any) -> Any:
    if feature.kind == "boolean":
        return bool(value)
    if feature.kind == "integer":
        return int(value)
    return value.date().isoformat() if feature.kind == "date" else value
