"""Examples from real rows: ones that the model is right about, of different classes or sizes of the target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, readable_name
from irislib._common.messages.new import EXAMPLE
from irislib._description.class_names import to_names
from irislib._description.values import is_empty, to_python
from irislib._modeling.training_data import target_array
from irislib._project.trial import Trial, answers_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._project.target_kind import Target

__all__ = ["example_of", "pick_examples", "usable_rows"]

Picked = Iterator[tuple[str, int]]  # a title, empty if it can claim nothing, and the position of a row

MAX_EXAMPLES = 4
TRIED = 200  # rows for an example
LONGEST = 200  # of a text
COMMON = 10  # rows of a text that is no name of somebody
PRIVATE = re.compile(r"@|\d{5,}|https?:|www\.")  # an address, a long number or a link in a text


def pick_examples(
    features: Sequence[Feature], x: pd.DataFrame, y: pd.Series, target: Target, trial: Trial
) -> dict[str, int]:
    """Return the positions of rows by their titles, of rows without text that may be personal.

    A title names a class or a number that the model of the trial answers, too; where it never does, the title
    claims nothing. Rows that the model was not trained on come first.
    """
    import numpy as np

    order = np.random.default_rng(0).permutation(len(x))
    order = order[usable_rows(features, x)[order]]
    is_held_out = np.isin(order, trial.held_out)
    parts = [order[is_held_out], order[~is_held_out]]
    examples: dict[str, int] = {}
    for title, position in (_of_classes if target.is_classifier else _of_sizes)(y, parts, target, trial):
        examples[title or EXAMPLE.format(number=len(examples) + 1)] = int(position)
    return examples


def _of_classes(y: pd.Series, parts: Sequence[np.ndarray], target: Target, trial: Trial) -> Picked:
    """Yield an example of each of the most frequent classes."""
    import numpy as np

    names = to_names(target.classes, target_array(y))
    texts = names.astype(str)
    values, counts = np.unique(texts, return_counts=True)
    for text in values[np.argsort(-counts, kind="stable")][:MAX_EXAMPLES]:
        rows = [part[texts[part] == text][:TRIED] for part in parts]
        right = [_rightly_answered(part, text, trial) for part in rows]
        position = next((position for position in right if position is not None), None)
        if position is not None:
            yield f"{readable_name(str(target.column))}: {to_python(names[position])}", position
        elif len(rest := np.concatenate(rows)):
            yield "", rest[0]


def _rightly_answered(rows: np.ndarray, text: str, trial: Trial) -> int | None:
    """Return the most typical of the rows of a class that the model answers with this class, or None."""
    import numpy as np

    if trial.model is None or not len(rows):
        return None
    predicted, shares = answers_of(trial.model, trial.x.iloc[rows])
    is_right = predicted.astype(str) == text
    right, shares = rows[is_right], shares[is_right]
    if not len(right):
        return None
    return int(right[np.argmin(abs(shares - np.quantile(shares, 0.75)))])


def _of_sizes(y: pd.Series, parts: Sequence[np.ndarray], target: Target, trial: Trial) -> Picked:
    """Yield an example with a low, a middling and a high target."""
    import numpy as np

    numbers = y.to_numpy(dtype=float)
    ranks = np.argsort(np.argsort(numbers, kind="stable"), kind="stable") / max(len(numbers) - 1, 1)
    for name, rank in (("low", 0.1), ("middling", 0.5), ("high", 0.9)):
        rows = [part[abs(ranks[part] - rank) <= 0.1][:TRIED] for part in parts]
        # an answer near the middle does not show what is low or high
        distance = np.full(len(numbers), np.inf) if rank == 0.5 else abs(numbers - np.median(numbers))
        close = [_closely_answered(part, numbers, distance, trial) for part in rows]
        position = next((position for position in close if position is not None), None)
        if position is not None:
            label, number = readable_name(str(target.column), target.unit), format_value(float(numbers[position]), 3)
            yield f"{label}, {name}: {number} {target.unit}".strip(), position
        elif len(rest := np.concatenate(rows)):
            yield "", rest[0]


def _closely_answered(rows: np.ndarray, numbers: np.ndarray, distance: np.ndarray, trial: Trial) -> int | None:
    """Return the row whose answer is the nearest, or None if each is further off than usual."""
    import numpy as np

    if trial.model is None or not len(rows):
        return None
    errors = abs(answers_of(trial.model, trial.x.iloc[rows])[0] - numbers[rows])
    errors[errors >= distance[rows]] = np.inf
    nearest = int(np.argmin(errors))
    return int(rows[nearest]) if errors[nearest] <= trial.model.evaluation.metrics["mean_absolute_error"] else None


def usable_rows(features: Sequence[Feature], x: pd.DataFrame) -> np.ndarray:
    """Return for each row whether no text in it may be personal."""
    import numpy as np

    usable = np.ones(len(x), dtype=bool)
    for feature in features:
        if feature.kind != "text":
            continue
        counts = x[feature.column].value_counts()
        public = {text for text, count in counts.items() if _is_public(feature, text, count)}
        usable &= (x[feature.column].isna() | x[feature.column].isin(public)).to_numpy()
    return usable


def _is_public(feature: Feature, text: str, count: int) -> bool:
    if len(text) > LONGEST or PRIVATE.search(text):
        return False
    return feature.control != "suggestions" or count >= COMMON or text in feature.choices


def example_of(features: Sequence[Feature], row: pd.Series) -> dict[str, Any]:
    """Return a row by the names of the features."""
    values = {feature: to_python(row[feature.column]) for feature in features}
    return {feature.name: _plain(feature, value) for feature, value in values.items() if not is_empty(value)}


def _plain(feature: Feature, value: Any) -> Any:
    if feature.kind == "boolean":
        return bool(value)
    if feature.kind == "integer":
        return int(value)
    return value.date().isoformat() if feature.kind == "date" else value
