"""The categories of CatBoost, as further numbers that its trees compare.

A tree asks whether a category is a certain one, or compares a statistic: of the training rows with the same category,
or with the same combination of categories and of sides of thresholds. CatBoost writes down the counts from which
statistics are calculated, for the hash of each combination that the training rows have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._compiled.catboost_hashes import MULTIPLIER, category_hash
from irislib._compiled.fast_form import NoFasterFormError, Row

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Categories"]

NO_HASH = str(2**64 - 1)  # where the table that CatBoost writes has no entry
Element = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Questions:
    """Comparisons of numbers with thresholds, or of categories with certain ones.

    Attributes
    ----------
    index : ndarray of shape (n_questions,)
        The positions of the numbers, or of the categories.
    value : ndarray of shape (n_questions,)
        The thresholds, or the hashes of categories.
    """

    index: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, questions: Iterable[tuple[int, float]], dtype: str) -> Questions:
        """Put questions into arrays."""
        import numpy as np

        pairs = list(questions)
        return cls(np.array([i for i, _ in pairs], np.intp), np.array([value for _, value in pairs], dtype))


@dataclass(frozen=True, slots=True)
class Combinations:
    """The hashes of the combinations that a row has.

    Attributes
    ----------
    terms : list of ndarray
        The first term of each combination, then the second of those that have one, and so on; those with most terms
        come first. The terms are the categories, and behind them the answers to ``above`` and ``equal``.
    above, equal : Questions
        For numbers and for categories.
    """

    terms: list[np.ndarray]
    above: Questions
    equal: Questions

    def keys(self, numbers: np.ndarray, hashes: np.ndarray) -> np.ndarray:
        """Return the hash of each combination of a row."""
        import numpy as np

        is_above = numbers.take(self.above.index) > self.above.value
        is_equal = hashes.take(self.equal.index) == self.equal.value
        values = np.concatenate([hashes, is_above, is_equal]).view(np.uint64)
        values *= np.uint64(MULTIPLIER)
        keys = np.zeros(len(self.terms[0]), np.uint64)
        for term in self.terms:
            part = keys[: len(term)]
            part += values.take(term)
            part *= np.uint64(MULTIPLIER)
        return keys

    @classmethod
    def of(cls, combinations: list[list[Element]], n_categories: int, position: dict[int, int]) -> Combinations:
        """Read combinations, those with most elements first; see `Categories.of`."""
        import numpy as np

        above: dict[tuple[int, float], int] = {}
        equal: dict[tuple[int, float], int] = {}

        def number(element: Element) -> tuple[int, int]:
            """Return the place of a term: 0 for a category, 1 for ``above`` or 2 for ``equal``, and its index there."""
            kind = element["combination_element"]
            if kind == "cat_feature_value":
                return 0, element["cat_feature_index"]
            if kind == "float_feature":
                return 1, above.setdefault((position[element["float_feature_index"]], element["border"]), len(above))
            if kind == "cat_feature_exact_value":
                return 2, equal.setdefault((element["cat_feature_index"], element["value"]), len(equal))
            raise NoFasterFormError(f"its combinations of categories have a {kind}.")

        places = [[number(element) for element in elements] for elements in combinations]
        first = (0, n_categories, n_categories + len(above))
        terms = [
            np.array([first[one[i][0]] + one[i][1] for one in places if i < len(one)], np.intp)
            for i in range(len(places[0]) if places else 0)
        ]
        return cls(terms, Questions.of(above, "f4"), Questions.of(equal, "i8"))


@dataclass(frozen=True, slots=True)
class Categories:
    """The numbers that stand for the categories of a row.

    Attributes
    ----------
    columns : list of int
        The positions of the categories in a row.
    questions : Questions
        For certain categories.
    combinations : Combinations
    combination : ndarray of shape (n_tables,)
        The combination that each table is about.
    entries : list of tuple
        For each table the function from a hash to the number of its entry, and the number of the one for other hashes.
    table : ndarray of shape (n_statistics,)
        The table of each statistic.
    first : ndarray of shape (n_statistics,)
        The position in ``values`` of the first entry of each statistic.
    values : ndarray
    """

    columns: list[int]
    questions: Questions
    combinations: Combinations
    combination: np.ndarray
    entries: list[tuple[Callable[[int, int], int], int]]
    table: np.ndarray
    first: np.ndarray
    values: np.ndarray

    def after(self, numbers: np.ndarray, row: Row) -> np.ndarray:
        """Return the numbers of a row, and behind them those that stand for its categories."""
        import numpy as np

        hashes = np.array([category_hash(row[i]) for i in self.columns])
        is_asked = hashes.take(self.questions.index) == self.questions.value
        if not self.entries:
            return np.concatenate([numbers, is_asked])
        keys = self.combinations.keys(numbers, hashes).take(self.combination).tolist()
        entries = np.array([find(key, other) for key, (find, other) in zip(keys, self.entries, strict=True)])
        return np.concatenate([numbers, is_asked, self.values.take(entries.take(self.table) + self.first)])

    @classmethod
    def of(cls, model: dict[str, Any], position: dict[int, int]) -> Categories:
        """Read the categories of a model.

        Parameters
        ----------
        model : dict
            As CatBoost writes it.
        position : dict
            From the number of a float feature to its position among the numbers of a row.

        Raises
        ------
        NoFasterFormError
        """
        import numpy as np

        features, statistics = model["features_info"]["categorical_features"], model["features_info"].get("ctrs") or []
        combinations = sorted({str(one["elements"]): one["elements"] for one in statistics}.values(), key=len)[::-1]
        number = {str(elements): i for i, elements in enumerate(combinations)}
        of_table = {one["identifier"]: number[str(one["elements"])] for one in statistics}
        tables = {name: _table(model["ctr_data"][name]) for name in of_table}
        values = [_statistic(one, *tables[one["identifier"]][1:]) for one in statistics]
        table_number = {name: i for i, name in enumerate(tables)}
        return cls(
            [feature["flat_feature_index"] for feature in features],
            Questions.of(((i, value) for i, one in enumerate(features) for value in one.get("values", ())), "i8"),
            Combinations.of(combinations, len(features), position),
            np.array(list(of_table.values()), np.intp),
            [(entries.get, len(entries)) for entries, *_ in tables.values()],
            np.array([table_number[one["identifier"]] for one in statistics], np.intp),
            np.cumsum([0, *map(len, values)])[:-1],
            np.concatenate(values) if values else np.zeros(0, np.float32),
        )


def _table(table: dict[str, Any]) -> tuple[dict[int, int], np.ndarray, int]:
    """Return the entries of a table by their hashes, their counts, with none for any other hash, and a denominator."""
    import numpy as np

    cells, width = table["hash_map"], table["hash_stride"]
    lines = [cells[i : i + width] for i in range(0, len(cells), width) if cells[i] != NO_HASH]
    counts = np.array([line[1:] for line in lines] + [[0] * (width - 1)], np.float32)
    return {int(line[0]): i for i, line in enumerate(lines)}, counts, table["counter_denominator"]


def _statistic(statistic: dict[str, Any], counts: np.ndarray, denominator: int) -> np.ndarray:
    """Calculate a statistic for each entry of a table, in single precision, as CatBoost does."""
    import numpy as np

    kind, border = statistic["ctr_type"], statistic["target_border_idx"]
    if kind == "Borders":
        part, whole = counts[:, border + 1 :].sum(axis=1), counts.sum(axis=1)
    elif kind == "Buckets":
        part, whole = counts[:, border], counts.sum(axis=1)
    elif kind in ("BinarizedTargetMeanValue", "FloatTargetMeanValue"):
        part, whole = counts[:, 0], counts[:, 1]
    elif kind in ("Counter", "FeatureFreq"):
        part, whole = counts[:, 0], np.full(len(counts), denominator, np.float32)
    else:
        raise NoFasterFormError(f"its statistics of categories have the type {kind}.")
    names = ("prior_numerator", "prior_denomerator", "shift", "scale")  # the second is CatBoost's own spelling
    more, more_whole, shift, scale = (np.float32(statistic[name]) for name in names)
    return ((part + more) / (whole + more_whole) + shift) * scale  # type: ignore[no-any-return]
