"""Novelty detection: rows unlike the training rows, all their values taken together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["USUAL", "NoveltyDetector"]

USUAL = 0.97  # the share of rows like the training rows that must not be reported as novel
NEIGHBOURS = 3
ENOUGH = 30  # rows; fewer do not show what is usual
CHOICES = 30  # of a feature; with more of them hardly two rows are alike
RIDGE = 0.05  # keeps a direction in which the rows do not differ from counting without end
BLOCK = 1 << 16  # distances that are computed at once: they fit into a cache
FIRST = 32  # training rows to which all distances are computed: most rows have neighbours enough among few of them


class NoveltyDetector:
    """A detector of rows unlike the training rows, by their distance to the nearest of these.

    A row is novel if fewer than three training rows lie within a limit of it: the distance to the third neighbour
    that 97 % of the training rows do not exceed. The distance is Mahalanobis', so that an unusual combination of
    values counts, even if each of them is usual.

    Parameters
    ----------
    features : sequence of Feature
    rows : DataFrame of shape (n_rows, n_features)
        Of the training data, as :meth:`ModelSpec.validate` returns them.

    Notes
    -----
    Distance to the k-th neighbour: S. Ramaswamy, R. Rastogi and K. Shim (2000), Efficient algorithms for mining
    outliers from large data sets, doi:10.1145/342009.335437; its limit from the training rows themselves, each beside
    the others: R. Laxhammar and G. Falkman (2014), Online learning and sequential anomaly detection in trajectories,
    doi:10.1109/TPAMI.2013.172; P. C. Mahalanobis (1936), On the generalised distance in statistics.
    """

    def __init__(self, features: Sequence[Feature], rows: pd.DataFrame):
        import numpy as np

        self._parts = [part for feature in features if (part := _part(feature, rows[feature.column]))]
        self.size = len(rows)
        self.applies = bool(self._parts) and self.size >= ENOUGH
        if not self.applies:
            return
        points = self._encoded(rows)
        spread = np.cov(points, rowvar=False).reshape(points.shape[1], -1) + RIDGE * np.eye(points.shape[1])
        self._whiten = np.linalg.cholesky(np.linalg.inv(spread))
        points = points @ self._whiten
        self._squares = np.square(points).sum(axis=1)
        self._doubled = -2 * points.T
        # each row is its own nearest
        nearest = np.partition(self._distances(points), NEIGHBOURS, axis=1)[:, NEIGHBOURS]
        rank = min(math.ceil((self.size + 1) * USUAL), self.size)
        self._limit = float(np.sort(nearest)[rank - 1]) + 1e-9

    def is_novel(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Return True for each row that is unlike the training rows.

        Parameters
        ----------
        columns : DataFrame, or mapping of str to sequence
            The values of each row, by the data's own names of the columns.

        Returns
        -------
        ndarray of bool of shape (n_rows,)
        """
        import numpy as np

        count = len(next(iter(columns.values()))) if isinstance(columns, dict) else len(columns)
        if not self.applies:
            return np.zeros(count, dtype=bool)
        points = self._encoded(columns) @ self._whiten
        if count * self.size <= BLOCK:
            return (self._distances(points) <= self._limit).sum(axis=1) < NEIGHBOURS  # type: ignore[no-any-return]
        return self._are_novel(points)

    def _are_novel(self, points: np.ndarray) -> np.ndarray:
        """Return the same for many points, each compared with more training rows until its neighbours are enough."""
        import numpy as np

        # a product with these is the distance without the square of the point itself, which is in its room
        pairs = np.vstack([self._doubled, self._squares]).T[np.random.default_rng(0).permutation(self.size)]
        factors = np.vstack([points.T, np.ones(len(points))])
        room = self._limit - np.square(points).sum(axis=1)
        neighbours = np.zeros(len(points), np.intp)
        undecided = np.arange(len(points))
        start, size = 0, FIRST
        while start < self.size and len(undecided):
            neighbours[undecided] += _count_within(pairs[start : start + size], factors, room)
            is_undecided = neighbours[undecided] < NEIGHBOURS
            undecided, factors, room = undecided[is_undecided], factors[:, is_undecided], room[is_undecided]
            start, size = start + size, 2 * size
        return neighbours < NEIGHBOURS

    def _distances(self, points: np.ndarray) -> np.ndarray:
        """Squared distances to the training rows, of shape (n_points, n_rows)."""
        import numpy as np

        distances = points @ self._doubled
        distances += self._squares
        distances += np.square(points).sum(axis=1)[:, None]
        return distances  # type: ignore[no-any-return]

    def _encoded(self, columns: Mapping[str, Any]) -> np.ndarray:
        import numpy as np

        return np.column_stack([column for part in self._parts for column in part.encoded(columns[part.column])])


def _count_within(pairs: np.ndarray, factors: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return for each column of factors how many of its products with the pairs are within its room."""
    import numpy as np

    step, counts = max(1, BLOCK // len(pairs)), np.empty(len(room), np.uint16)
    for start in range(0, len(room), step):
        part = slice(start, start + step)
        is_within = pairs @ factors[:, part] <= room[part]
        is_within.view(np.uint8).sum(axis=0, dtype=np.uint16, out=counts[part])
    return counts


class _Amount:
    """A number or a date, in standard deviations from the mean; one that is missing is at the mean."""

    def __init__(self, feature: Feature, column: pd.Series):
        import numpy as np

        self.column = feature.column
        self._to_numbers = feature.type.to_numbers
        numbers = self._to_numbers(column)
        self.middle = float(np.nanmean(numbers))
        self.spread = float(np.nanstd(numbers)) or 1.0
        self.gaps = bool(np.isnan(numbers).any())

    def encoded(self, column: Any) -> list[np.ndarray]:
        import numpy as np

        standardized = (self._to_numbers(column) - self.middle) / self.spread
        missing = np.isnan(standardized)
        standardized[missing] = 0
        return [standardized, missing.astype(float)] if self.gaps else [standardized]


class _Choice:
    """A choice, or yes or no: a column of 0 and 1 for each."""

    def __init__(self, column: Any, choices: Sequence[Any]):
        self.column, self.choices = column, list(choices)

    def encoded(self, column: Any) -> list[np.ndarray]:
        import numpy as np

        values = np.asarray(column, dtype=object)
        return [np.asarray(values == choice, dtype=float) for choice in self.choices]


def _part(feature: Feature, column: pd.Series) -> _Amount | _Choice | None:
    """Return the encoder of a feature, or None for free text and a feature without a value."""
    if column.notna().sum() == 0:
        return None
    if feature.type.is_continuous:
        return _Amount(feature, column)
    indicators = feature.type.indicators(feature)
    return _Choice(feature.column, indicators) if 0 < len(indicators) <= CHOICES else None
