"""The fast form of trees, forests and boosting, alone or at the end of a Pipeline.

It does what scikit-learn does, to the bit: a value is rounded as scikit-learn rounds it and compared with a
float64 threshold, leaves are added up in the order of the trees, and exponentials are left to scikit-learn's own
functions. Gradient boosting is equal to 1e-12 only, because scikit-learn's own predictions for many rows
differ from those for one row in the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import Candidate, Comparison, NoFasterFormError
from irislib._compiled.preprocessing import Transformers, as_floats, in_python, transformed
from irislib._compiled.single_row import pipeline_steps
from irislib._compiled.tree_tables import TreeTable, named, tree_walk_of
from irislib._compiled.tree_walk import Boosted, TreeForm, Trees

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["make_tree_form"]

NUMERIC = ("float64", "int64", "bool")  # dtypes of columns that scikit-learn takes as they are
EXP_TOLERANCE = 1e-12  # of exponentials
NEAR_ROWS = 600


def make_tree_form(spec: ModelSpec, estimator: Any) -> Candidate:
    """Make the walk over the trees of an estimator.

    Raises
    ------
    NoFasterFormError
        For any other estimator, or one whose trees cannot be walked.
    """
    before, last = pipeline_steps(estimator)
    not_numeric = [feature.name for feature in spec.features if feature.dtype or feature.type.dtype not in NUMERIC]
    simple = None if not_numeric else in_python(before)
    may_be_missing = simple is None or not all(feature.required for feature in spec.features)
    trees, tables = tree_walk_of(last, may_be_missing)
    steps: list[Any] = []
    text = f"walking {_counted(len(trees.roots), 'tree')}"
    if before:
        count = _counted(len(before), "step")
        if simple is None:
            steps, text = [Transformers(spec.features, before)], f"{count} of scikit-learn's own and by {text}"
        else:
            steps, text = [as_floats, *simple], f"{count} in plain Python and by {text}"
    elif not_numeric:
        raise NoFasterFormError(f"{', '.join(not_numeric)} cannot be compared with thresholds.")
    return Candidate(
        TreeForm(steps, trees),
        text,
        tolerance=EXP_TOLERANCE if isinstance(trees.ending, Boosted) else 0.0,
        is_slow=bool(before) and simple is None,
        hard_case=partial(_threshold_case, before, last, trees, tables),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _threshold_case(
    before: Sequence[Any],
    last: Any,
    trees: Trees,
    tables: Sequence[TreeTable],
    rows: pd.DataFrame,
    rng: np.random.Generator,
) -> Comparison:
    near = _near_thresholds(tables, transformed(before, rows), trees.takes_missing, rng)
    return Comparison(trees.predict, near, last, named(last, near.to_numpy()))


def _near_thresholds(
    tables: Sequence[TreeTable], rows: np.ndarray, takes_missing: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows as the trees see them, each with one value at a threshold or at a neighbour of it."""
    import numpy as np
    import pandas as pd

    near = np.nan_to_num(rows)[rng.integers(0, len(rows), NEAR_ROWS)]
    # a threshold is infinite where only missing values go to the right
    nodes = [np.flatnonzero((table.feature >= 0) & np.isfinite(table.threshold)) for table in tables]
    split = [i for i, inner in enumerate(nodes) if len(inner)]
    for i in range(len(near) if split else 0):
        number = rng.choice(split)
        node, table = rng.choice(nodes[number]), tables[number]
        at = table.threshold[node]
        near[i, table.feature[node]] = (at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf), np.float32(at))[i % 4]
    if takes_missing:
        near[rng.random(near.shape) < 0.2] = np.nan
    return pd.DataFrame(near)
