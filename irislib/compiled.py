"""A fitted tree or forest in a form that answers one row at once.

scikit-learn spends milliseconds on one row, nearly all of them on checks and on joblib; walking
the trees takes microseconds. The walk is plain Python on nested tuples. It does what scikit-learn
does, to the bit: a value is rounded to float32 and compared with a float64 threshold; the leaves
are added up in the order of the trees and divided by their number. It is used only where it was
proved equal to scikit-learn on rows that would show a difference.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib.spec import ModelSpec

__all__ = ["Walk", "compiled"]

KINDS = ("number", "integer", "boolean")  # of features whose columns scikit-learn takes as they are
MOST_NODES = 300_000  # of all trees: above it the tuples would take more memory than the time is worth
EXACT = 2**53  # beyond it a whole number is rounded twice on its way to float32, and an infinity is not far

# A node is (feature, threshold, left, right). A leaf is the list of its values, or the number of the
# one class that all its rows have.
Node = Any


class Walk(NamedTuple):
    """The trees of a fitted estimator.

    Attributes
    ----------
    trees : list of nested tuples
    classes : list or None
        None for a regression.
    """

    trees: list[Node]
    classes: list[Any] | None

    def answer(self, values: Sequence[float]) -> tuple[Any, list[float] | None] | None:
        """The prediction for one row, and the probability of each class.

        Parameters
        ----------
        values : sequence of float of shape (n_features,)
            In the order of the features; None where one is missing.

        Returns
        -------
        tuple or None
            None where only scikit-learn can tell: a value is missing, or larger than float32 holds.
        """
        if any(value is None or abs(value) >= EXACT for value in values):
            return None
        row = array("f", values).tolist()
        totals = [0.0] * len(self.classes or (0,))
        for node in self.trees:
            while node.__class__ is tuple:
                node = node[2] if row[node[0]] <= node[1] else node[3]
            if node.__class__ is int:
                totals[node] += 1.0
            else:
                for i, value in enumerate(node):
                    totals[i] += value
        count = len(self.trees)
        means = [total / count for total in totals] if count > 1 else totals
        if self.classes is None:
            return means[0], None
        return self.classes[means.index(max(means))], means


def compiled(spec: ModelSpec, estimator: Any, rows: pd.DataFrame) -> tuple[Walk | None, str]:
    """The walk of an estimator, if there is one that was proved equal, and a sentence about it.

    Parameters
    ----------
    spec : ModelSpec
    estimator : fitted estimator
    rows : DataFrame of shape (n_rows, n_features)
        Rows as people send them, to prove it on.
    """
    kind = type(estimator).__name__
    if other := [feature.name for feature in spec.features if feature.kind not in KINDS]:
        return None, f"scikit-learn itself answers: {', '.join(other)} cannot be compared with thresholds."
    trees = _trees(estimator)
    if trees is None:
        return None, f"scikit-learn itself answers: there is no faster form of {kind}."
    nodes = sum(tree.node_count for tree in trees)
    if nodes > MOST_NODES:
        return None, f"scikit-learn itself answers: {kind} has {nodes:,} nodes, more than {MOST_NODES:,}."
    classes = getattr(estimator, "classes_", None)
    nested = [_nested(tree, classes is not None) for tree in trees]
    walk = Walk(nested, None if classes is None else classes.tolist())
    proof = _proof(spec, trees, rows)
    if differing := _differing(walk, estimator, proof):
        return None, f"scikit-learn itself answers: the faster form differs in {differing} of {len(proof)} rows."
    return walk, f"one row is answered by walking {len(trees):,} trees, proved equal on {len(proof):,} rows."


def _trees(estimator: Any) -> list[Any] | None:
    """The trees of an estimator whose walk is known; a subclass may do something else."""
    from sklearn import ensemble, tree

    alone = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, tree.ExtraTreeClassifier, tree.ExtraTreeRegressor)
    forests = (
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    if type(estimator) not in (*alone, *forests) or estimator.n_outputs_ != 1:
        return None
    members = [estimator] if type(estimator) in alone else estimator.estimators_
    return [member.tree_ for member in members]


def _nested(tree: Any, is_classifier: bool) -> Node:
    """A tree as nested tuples; its nodes come after their parents, so it is built from the end."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    features, thresholds = tree.feature.tolist(), tree.threshold.tolist()
    values = tree.value[:, 0, :].tolist()
    nodes: list[Node] = [None] * tree.node_count
    for i in range(tree.node_count - 1, -1, -1):
        if left[i] != right[i]:
            nodes[i] = (features[i], thresholds[i], nodes[left[i]], nodes[right[i]])
        else:
            nodes[i] = values[i].index(1.0) if is_classifier and max(values[i]) == 1.0 else values[i]
    return nodes[0]


def _proof(spec: ModelSpec, trees: Sequence[Any], rows: pd.DataFrame) -> np.ndarray:
    """Rows that would show a difference: real ones, two-decimal ones, and those at the thresholds."""
    import numpy as np

    rng = np.random.default_rng(0)
    known = rows.dropna().to_numpy(dtype=float)
    if not len(known):
        known = np.zeros((1, len(spec.features)))
    low, high = known.min(axis=0), known.max(axis=0)
    decimals = np.round(rng.uniform(low, high, (500, known.shape[1])), 2)
    near = known[rng.integers(0, len(known), 600)].copy()
    chosen = [tree for tree in trees if (tree.feature >= 0).any()]
    for i in range(len(near) if chosen else 0):
        tree = chosen[rng.integers(len(chosen))]
        node = rng.choice(np.flatnonzero(tree.feature >= 0))
        threshold = tree.threshold[node]
        steps = (threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf), np.float32(threshold))
        near[i, tree.feature[node]] = steps[i % len(steps)]
    return np.vstack([known, decimals, near])


def _differing(walk: Walk, estimator: Any, rows: np.ndarray) -> int:
    """In how many rows the walk and scikit-learn give another answer."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=estimator.feature_names_in_)
    predicted = estimator.predict(frame).tolist()
    if walk.classes is not None:
        expected = list(zip(predicted, estimator.predict_proba(frame).tolist(), strict=True))
    else:
        expected = [(value, None) for value in predicted]
    return sum(walk.answer(row) not in (None, found) for row, found in zip(rows.tolist(), expected, strict=True))
