"""The part for HistGradientBoosting with categorical features.

A node that splits categories asks whether one is in its set. All these answers are in a table for each category, so
that a row gets them as further columns, 0 or 1, which trees of numbers compare with a threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._compiled.composition import Chain
from irislib._compiled.fast_form import Row, RowPredictor, RowTransform
from irislib._compiled.tree_tables import TreeTable, histogram_trees
from irislib._compiled.tree_walks import with_walk

if TYPE_CHECKING:
    import numpy as np

    from irislib._compiled.parts import Parts

__all__ = ["make_category_trees"]

CODES = 256  # of categories


class Answers:
    """The answers of the nodes that split categories, as columns beside the features.

    Parameters
    ----------
    n_features : int
    known : list of array
        The codes of categories in the training rows, for each feature with categories; any other is as missing.
    """

    def __init__(self, n_features: int, known: list[Any]):
        self.first = n_features
        self.known = known
        self.positions: dict[tuple[int, bytes, bool], int] = {}

    def position(self, feature: int, bits: np.ndarray, missing_go_left: bool) -> int:
        """Return the position of the column with a node's answers."""
        key = (feature, bits.tobytes(), missing_go_left)
        return self.first + self.positions.setdefault(key, len(self.positions))

    def step(self, encode: RowTransform) -> RowTransform:
        """Return the function that encodes the categories of a row and adds the columns."""
        tables = [(feature, self._answers(feature, bits, side)) for feature, bits, side in self.positions]

        def expand(row: Row) -> Row:
            encoded = encode(row)
            codes = [int(value) if value == value and value < CODES else CODES for value in encoded[: len(self.known)]]
            return encoded + [answers[codes[feature]] for feature, answers in tables]

        return expand

    def _answers(self, feature: int, bits: bytes, missing_go_left: bool) -> list[float]:
        import numpy as np

        goes_left = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little").astype(bool)
        missing = 0.0 if missing_go_left else 1.0
        known = {int(code) for code in self.known[feature]}
        answers = [0.0 if goes_left[code] else 1.0 if code in known else missing for code in range(CODES)]
        return [*answers, missing]


def make_category_trees(estimator: Any, parts: Parts) -> RowPredictor:
    """Make the walk over the trees of a HistGradientBoosting whose nodes split categories."""
    bins = estimator._bin_mapper  # its features are in the order that the preprocessor gives them, categories first
    answers = Answers(len(bins.is_categorical_), bins.bin_thresholds_[: int(bins.is_categorical_.sum())])
    trees, tables = histogram_trees(estimator)
    predictors = [predictor for stage in estimator._predictors for predictor in stage]
    tables = [_with_answers(table, one, answers) for table, one in zip(tables, predictors, strict=True)]
    categories = estimator.is_categorical_.nonzero()[0].tolist()
    numbers = (~estimator.is_categorical_).nonzero()[0].tolist()
    codes = parts.transform(estimator._preprocessor.named_transformers_["encoder"])
    step = answers.step(lambda row: codes([row[i] for i in categories]) + [row[i] for i in numbers])
    walk = with_walk(trees, tables, answers.first + len(answers.positions))
    return Chain(step, walk, "its categories in plain Python")


def _with_answers(table: TreeTable, predictor: Any, answers: Answers) -> TreeTable:
    """Let the nodes that split categories compare a column of answers."""
    feature, threshold = table.feature.copy(), table.threshold.copy()
    for i in predictor.nodes["is_categorical"].nonzero()[0].tolist():
        bits = predictor.raw_left_cat_bitsets[predictor.nodes["bitset_idx"][i]]
        feature[i] = answers.position(int(feature[i]), bits, bool(table.missing_go_left[i]))
        threshold[i] = 0.5
    return TreeTable(feature, threshold, *table[2:])
