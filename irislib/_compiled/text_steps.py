"""The parts for vectorizers of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import log, sqrt
from typing import Any

from irislib._compiled.fast_form import NoFasterFormError, Row, RowTransform

__all__ = ["TEXT_STEPS"]


def _counts(step: Any) -> RowTransform:
    """Make the part for a CountVectorizer."""
    if step.input != "content":
        raise NoFasterFormError(f"this {type(step).__name__} reads files.")
    analyze, vocabulary, is_binary = step.build_analyzer(), step.vocabulary_, step.binary

    def count(row: Row) -> Row:
        (text,) = row
        counts = Counter(index for token in analyze(text) if (index := vocabulary.get(token)) is not None)
        output = [0.0] * len(vocabulary)
        for index, number in counts.items():
            output[index] = 1.0 if is_binary else float(number)
        return output

    return count


def _frequencies(step: Any) -> RowTransform:
    """Make the part for a TfidfVectorizer."""
    count, is_sublinear, norm = _counts(step), step.sublinear_tf, step.norm
    weights = step.idf_.tolist() if step.use_idf else [1.0] * len(step.vocabulary_)

    def weigh(row: Row) -> Row:
        output = count(row)
        counted = [(i, value) for i, value in enumerate(output) if value]
        for i, value in counted:
            output[i] = (1.0 + log(value) if is_sublinear else value) * weights[i]
        numbers = [output[i] for i, _ in counted]
        total = sum(map(abs, numbers)) if norm == "l1" else sqrt(sum(number * number for number in numbers))
        if norm and total:
            for i, _ in counted:
                output[i] /= total
        return output

    return weigh


TEXT_STEPS: dict[str, Callable[[Any], RowTransform]] = {
    "CountVectorizer": _counts,
    "TfidfVectorizer": _frequencies,
}
