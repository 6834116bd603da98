"""The parts for trees, forests and boosting of scikit-learn.

They do what scikit-learn does, to the bit: a value is rounded as scikit-learn rounds it and compared with a
float64 threshold, and leaves are added up in the order of the trees. Gradient boosting is equal to 1e-12 only, because
exponentials differ in the last bit, as do scikit-learn's own predictions for many rows and for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._compiled.category_trees import make_category_trees
from irislib._compiled.fast_form import Comparison, HardCase, RowPredictor, rows_to_prove
from irislib._compiled.row_form import ComposedForm
from irislib._compiled.tree_tables import TreeTable
from irislib._compiled.tree_walks import named, tree_walk_of

if TYPE_CHECKING:
    import numpy as np

    from irislib._compiled.parts import Parts

__all__ = ["TREES", "near_thresholds", "threshold_case"]

NEAR_ROWS = 600


def _make_walk(estimator: Any, parts: Parts) -> RowPredictor:
    """Make the walk over the trees of an estimator."""
    trees, tables = tree_walk_of(estimator, parts.may_be_missing)
    parts.n_trees = max(parts.n_trees, len(tables))
    parts.hard_cases.append(threshold_case(estimator, trees, tables, trees.takes_missing))
    return trees


def _make_histogram_walk(estimator: Any, parts: Parts) -> RowPredictor:
    return (_make_walk if estimator._preprocessor is None else make_category_trees)(estimator, parts)


def threshold_case(
    estimator: Any,
    predictor: RowPredictor,
    tables: Sequence[TreeTable],
    takes_missing: bool,
    n_features: int | None = None,
) -> HardCase:
    """Return what makes the rows at the thresholds of trees, on which to prove a walk over them.

    Parameters
    ----------
    estimator : fitted estimator
    predictor : RowPredictor
    tables : sequence of TreeTable
    takes_missing : bool
        Whether values may be missing.
    n_features : int, optional
        That of the estimator if left out.
    """
    n_features = estimator.n_features_in_ if n_features is None else n_features
    return partial(_compare_at_thresholds, estimator, predictor, tables, takes_missing, n_features)


def _compare_at_thresholds(
    estimator: Any,
    predictor: RowPredictor,
    tables: Sequence[TreeTable],
    takes_missing: bool,
    n_features: int,
    rng: np.random.Generator,
) -> Comparison:
    import pandas as pd

    near = near_thresholds(tables, n_features, rng)
    if takes_missing:
        near[rng.random(near.shape) < 0.2] = float("nan")
    return Comparison(ComposedForm(predictor).predict, pd.DataFrame(near), estimator, named(estimator, near))


def near_thresholds(tables: Sequence[TreeTable], n_features: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of thresholds, each with one value at a threshold or at a neighbour of it."""
    import numpy as np

    features = np.concatenate([table.feature for table in tables])
    thresholds = np.concatenate([table.threshold for table in tables])
    # a threshold is infinite where only missing values go to the right
    inner = (features >= 0) & np.isfinite(thresholds)
    features, thresholds = features[inner], thresholds[inner]
    count = rows_to_prove(NEAR_ROWS, len(tables))
    near = np.zeros((count, n_features))
    for feature in np.unique(features):
        near[:, feature] = rng.choice(thresholds[features == feature], count) + rng.normal(0, 1e-3, count)
    for i, node in enumerate(rng.integers(0, len(features), count) if len(features) else ()):
        at = thresholds[node]
        near[i, features[node]] = (at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf), np.float32(at))[i % 4]
    return near


TREES: dict[str, Callable[[Any, Parts], RowPredictor]] = dict.fromkeys(
    (
        *("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
        *("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"),
        *("GradientBoostingClassifier", "GradientBoostingRegressor"),
    ),
    _make_walk,
)
TREES |= dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _make_histogram_walk)
