"""The prediction for one row, with its warnings and the frame it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._common.formatting import ANSWER_DIGITS, digits_apart, format_apart, format_share, format_value
from irislib._common.messages.validation import TEXTS
from irislib._compiled import one_row_frame
from irislib._modeling.training_warnings import Warned
from irislib.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["SURE", "Prediction", "Threshold", "near_ties"]

SURE = 0.8  # a probability from which on an answer counts as rather sure
NEAR = 0.1  # two classes whose probabilities are nearer to each other than this are nearly a tie


class Threshold(NamedTuple):
    """A class, and the probability from which on it is predicted, which need not be the largest."""

    label: Any
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The prediction for one row.

    Attributes
    ----------
    prediction : str, int, float or bool
        A class, or a number in ``unit``.
    probabilities : dict or None
        Probability of each class, in the order of ``Model.classes``; None if there are none.
    unit : str
    warnings : list of Problem
        Reasons to doubt the prediction: a value the model was not trained on, values that are rare in
        combination, two classes that are nearly as likely.
    version : str
        That of the model.
    row : mapping
        The row as it was passed in.
    features : sequence of Feature
    values : mapping
        The checked values of the row, None where one is missing.
    threshold : Threshold or None
        The class that is predicted from a probability on, if the estimator has such a threshold of its own.
    is_outside_training : bool
        True if a value, or all values together, are unlike the training rows: what was measured on test rows need
        not hold for it.
    target_label : str
        What people call the target.
    interval : (float, float) or None
        Where the true number is in 90 % of such cases; None for a class, after a warning, or with few test rows.
    """

    prediction: Any
    probabilities: dict[Any, float] | None
    unit: str
    warnings: list[Problem]
    version: str
    row: Mapping[str, Any] = field(default_factory=dict, repr=False)
    features: Sequence[Feature] = field(default=(), repr=False, compare=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    threshold: Threshold | None = field(default=None, repr=False)
    is_outside_training: bool = field(default=False, repr=False)
    target_label: str = field(default="", repr=False)
    interval: tuple[float, float] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The name of the target and the answer: ``Species: versicolor, 99%``."""
        answer = self.answer
        return TEXTS["headline"].format(target=self.target_label, answer=answer) if self.target_label else answer

    @property
    def answer(self) -> str:
        """The prediction and its certainty as a person reads them.

        A class with its probability, ``versicolor, 99%``; with a threshold also the reason, ``yes, for 40% is above
        its threshold of 32%``; a number with its interval, ``550 EUR, likely 480 to 610``.
        """
        if self.threshold and self.probabilities:
            return self._with_threshold(self.threshold, self.probabilities[self.threshold.label])
        digits = ANSWER_DIGITS
        if self.interval:  # which has a digit of its own
            low, high = self.interval
            digits = digits_apart(self.prediction, self.prediction + (high - low) / 2)
        text = f"{format_value(self.prediction, digits)} {self.unit}".rstrip()
        if self.probabilities:
            share = format_share(self.probabilities[self.prediction])
            return TEXTS["answer.class"].format(prediction=text, share=share)
        if self.interval:
            ends = {"low": format_value(low, digits), "high": format_value(high, digits)}
            return TEXTS["answer.number"].format(prediction=text, **ends)
        return text

    def _with_threshold(self, threshold: Threshold, probability: float) -> str:
        key = "above_threshold" if self.prediction == threshold.label else "below_threshold"
        share, limit = format_apart(probability, threshold.probability)
        return TEXTS[key].format(prediction=self.prediction, label=threshold.label, share=share, threshold=limit)

    @property
    def is_near_tie(self) -> bool:
        """True if the two likeliest classes are within 0.1 of each other, and no threshold decides between them."""
        likeliest = sorted((self.probabilities or {}).values())[-2:]
        return self.threshold is None and len(likeliest) == 2 and likeliest[1] - likeliest[0] < NEAR

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The checked row as the estimator takes it, built when first used."""
        return one_row_frame(self.features, list(self.values.values()))


def near_ties(classes: Sequence[Any] | None, probabilities: Any) -> Warned:
    """Return the warnings of the rows whose two likeliest classes are within 0.1 of each other.

    Parameters
    ----------
    classes : sequence of shape (n_classes,)
    probabilities : array-like of shape (n_rows, n_classes)
    """
    import numpy as np

    array = np.asarray(probabilities)
    if classes is None or len(classes) < 2:
        return Warned(np.zeros(0, int), np.zeros(0, int), [])
    likeliest = np.partition(array, -2, axis=1)[:, -2:]
    near = np.flatnonzero(likeliest[:, 1] - likeliest[:, 0] < NEAR)
    order = np.argsort(-array[near], axis=1, kind="stable")[:, :2]
    shares = np.take_along_axis(array[near], order, axis=1)
    known: dict[tuple[Any, ...], int] = {}
    keys = zip(*order.T.tolist(), *shares.T.tolist(), strict=True)
    codes = np.array([known.setdefault(key, len(known)) for key in keys], int)
    return Warned(near, codes, [_tie(classes, *key) for key in known])


def _tie(classes: Sequence[Any], first: int, second: int, first_share: float, second_share: float) -> Problem:
    both = {"first": classes[first], "second": classes[second]}
    shares = {"first_share": format_share(first_share), "second_share": format_share(second_share)}
    return Problem(TEXTS["warning.tie"].format(**both, **shares))
