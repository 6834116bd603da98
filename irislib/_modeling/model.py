"""A trained model: the estimator, its description, and how well it does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, short_repr
from irislib._compiled import FastForm, column_converters, compiled, one_row_frame, predict_one
from irislib._description.feature_types import is_empty
from irislib._description.validation import check_row
from irislib._modeling.novelty import USUAL, NoveltyDetector
from irislib.errors import NotApplicableError, OutsideTrainingDataWarning, Problem, ValidationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["TIE", "Evaluation", "Model", "Prediction"]

TIE = 0.1  # two probabilities that are nearer to each other are told as nearly a tie


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What became of the rows that were held out of the training.

    Attributes
    ----------
    features : DataFrame of shape (n_test, n_features)
    y_true, y_pred : ndarray of shape (n_test,)
    y_proba : ndarray of shape (n_test, n_classes) or None
    metrics : dict of str to float
        For a classifier ``accuracy``, ``balanced_accuracy`` and the ``baseline_accuracy`` of always
        answering the commonest class; for a regressor ``r2``, and in the target's unit
        ``mean_absolute_error``, ``root_mean_squared_error`` and the
        ``baseline_mean_absolute_error`` of always answering the median.
    """

    features: pd.DataFrame
    y_true: np.ndarray
    y_pred: np.ndarray
    y_proba: np.ndarray | None
    metrics: dict[str, float]


@dataclass(frozen=True)
class Prediction:
    """The answer for one row.

    Attributes
    ----------
    prediction : str, int, float or bool
        A class, or a number in ``unit``.
    probabilities : dict or None
        Probability of each class, in the order of ``Model.classes``; None where there are none.
    warnings : list of Problem
        What should make the reader doubt the answer: a value the model never saw, values that are unusual
        together, two classes that are nearly as likely.
    row : mapping
        What it is the answer to.
    """

    prediction: Any
    probabilities: dict[Any, float] | None
    unit: str
    warnings: list[Problem]
    version: str
    row: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """The prediction as a person reads it: ``versicolor``, ``549.7 EUR``."""
        return f"{format_value(self.prediction, 5)} {self.unit}".rstrip()


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted estimator with its description; knows nothing of pages or requests.

    Attributes
    ----------
    spec : ModelSpec
    estimator : fitted scikit-learn estimator
        Fitted on the training part only: the very model that ``evaluation`` measured.
    evaluation : Evaluation
    coverage : dict of str to dict
        What the training data cover, by feature: ``low`` and ``high``, or the ``values`` seen.
    sample : DataFrame of shape (at most 1000, n_features)
        Of the rows it was trained on: what a row is to be like.
    version : str
        The same for the same description, data and scikit-learn.
    trained_at : str
        ISO 8601, UTC.
    data : dict
        ``rows``, ``training_rows`` and ``digest`` of the data it was trained on.
    """

    spec: ModelSpec
    estimator: Any
    evaluation: Evaluation
    coverage: dict[str, dict[str, Any]]
    sample: pd.DataFrame
    version: str
    trained_at: str
    data: dict[str, Any]

    def __repr__(self) -> str:
        return (
            f"<Model {self.spec.name} {self.version}, trained {self.trained_at} on {self.data['training_rows']} rows>"
        )

    @property
    def classes(self) -> list[Any] | None:
        """The classes in the order of ``predict_proba``'s columns; None for a regression."""
        classes = getattr(self.estimator, "classes_", None)
        return None if classes is None else classes.tolist()

    def predict(self, rows: Any) -> np.ndarray:
        """Predict the target of one row or many.

        Parameters
        ----------
        rows : mapping, sequence of mappings, or DataFrame
            See :meth:`ModelSpec.validate`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Classes, or numbers in the unit of the target.

        Raises
        ------
        ValidationError
            Naming every wrong value.

        Warns
        -----
        OutsideTrainingDataWarning
            Where a value lies beyond what the training data cover.
        """
        return self.estimator.predict(self._ready(rows))  # type: ignore[no-any-return]

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Probability of each class for one row or many.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of :attr:`classes`; each row adds up to 1.

        Raises
        ------
        ValidationError
            Naming every wrong value.
        NotApplicableError
            For a regression, or a classifier without probabilities.

        Warns
        -----
        OutsideTrainingDataWarning
            Where a value lies beyond what the training data cover.
        """
        self.require_probabilities()
        return self.estimator.predict_proba(self._ready(rows))  # type: ignore[no-any-return]

    def predict_row(self, row: Mapping[str, Any]) -> Prediction:
        """Everything there is to say about one row.

        Raises
        ------
        ValidationError
            Naming every wrong value.
        """
        if not isinstance(row, Mapping):
            frame = self.spec.validate(row)
            found = predict_one(self.estimator, frame, self.has_probabilities)
            return self._prediction(*found, self.unlike_training(frame), frame.iloc[0].to_dict())
        values, problems = check_row(self.spec.features, row)
        if problems:
            raise ValidationError(problems)
        walk, _ = self.fast_form
        given = list(values.values())
        found = None if walk is None else walk.predict(given)
        if found is None:
            found = predict_one(self.estimator, one_row_frame(self.spec.features, given), self.has_probabilities)
        for name, convert in self._converters.items():
            values[name] = None if values[name] is None else convert(values[name])
        outside = [Problem(message, n, v) for n, v in values.items() if (message := self._unlike(n, v))]
        if not outside and self.novelty.is_novel({name: [value] for name, value in values.items()})[0]:
            outside = [self._strange()]
        return self._prediction(*found, outside, row)

    def _prediction(
        self, prediction: Any, given: list[float] | None, outside: list[Problem], row: Mapping[str, Any]
    ) -> Prediction:
        probabilities = dict(zip(self.classes or (), given, strict=True)) if given else None
        ties = self.near_ties([given]).values() if given else ()
        return Prediction(prediction, probabilities, self.spec.target_unit, [*outside, *ties], self.version, row)

    def near_ties(self, probabilities: Any) -> dict[int, Problem]:
        """Where the two likeliest classes are within 0.1 of each other, and the words for it.

        Parameters
        ----------
        probabilities : array-like of shape (n_rows, n_classes)

        Returns
        -------
        dict of int to Problem
            By the place of the row.
        """
        import numpy as np

        given = np.asarray(probabilities)
        if given.shape[1] < 2:
            return {}
        likeliest = np.partition(given, -2, axis=1)[:, -2:]
        near = np.flatnonzero(likeliest[:, 1] - likeliest[:, 0] < TIE)
        return {int(i): self._tie(given[i]) for i in near}

    def _tie(self, given: np.ndarray) -> Problem:
        classes = self.classes or []
        first, second = sorted(range(len(classes)), key=lambda i: -given[i])[:2]
        both = f"{classes[first]} ({given[first]:.0%}) and {classes[second]} ({given[second]:.0%})"
        return Problem(f"It is nearly a tie between {both}.")

    @cached_property
    def fast_form(self) -> tuple[FastForm | None, str]:
        """The form of the estimator that answers one row at once, where there is one, and a sentence on it."""
        return compiled(self.spec, self.estimator, self.evaluation.features)

    @cached_property
    def _converters(self) -> dict[str, Callable[[Any], Any]]:
        return column_converters(self.spec.features)

    @property
    def has_probabilities(self) -> bool:
        """Whether the estimator gives probabilities."""
        return self.classes is not None and hasattr(self.estimator, "predict_proba")

    def require_probabilities(self) -> None:
        """Raise NotApplicableError where there are no probabilities, saying why."""
        if self.classes is None:
            raise NotApplicableError(f"{self.spec.title} predicts a number: it has no classes and no probabilities.")
        if not self.has_probabilities:
            name = type(self.estimator).__name__
            raise NotApplicableError(f"{name} predicts classes without probabilities.")

    @cached_property
    def novelty(self) -> NoveltyDetector:
        """What tells whether a row is like the training rows."""
        return NoveltyDetector(self.spec.features, self.sample)

    def outside_training(self, frame: pd.DataFrame) -> list[Problem]:
        """The values of validated rows that lie beyond what the training data cover."""
        single = len(frame) == 1
        return [
            Problem(self._unlike(name, value), name, value, None if single else i)
            for name in self.spec.feature_names
            for i, value in self._outside(name, frame[name])
        ]

    def unlike_training(self, frame: pd.DataFrame) -> list[Problem]:
        """The same, and the rows that no others are like, though each of their values is within.

        Returns
        -------
        list of Problem
            One about a row as a whole has no feature. Of 100 rows like the training rows three are told, too.
        """
        found = self.outside_training(frame)
        single = len(frame) == 1
        told = {problem.row or 0 for problem in found}
        strange = self.novelty.is_novel(frame).nonzero()[0].tolist()
        return found + [self._strange(None if single else i) for i in strange if i not in told]

    def _strange(self, row: int | None = None) -> Problem:
        usual = f"{USUAL:.0%} of the rows that the model was trained on are less unusual"
        return Problem(f"Each value is a usual one, but not all of them together: {usual}.", row=row)

    def _outside(self, name: str, column: pd.Series) -> list[tuple[int, Any]]:
        """The values of a column that are unlike the training data, and where they stand."""
        covered = self.coverage.get(name)
        if covered is None:
            return []
        if "values" in covered or column.dtype == "object":
            values = column.tolist()
            unlike = {value for value in set(values) if self._unlike(name, value)}
            return [(i, value) for i, value in enumerate(values) if value in unlike] if unlike else []
        found = ((column < covered["low"]) | (column > covered["high"])).to_numpy().nonzero()[0]
        return list(zip(found.tolist(), column.iloc[found].tolist(), strict=True))

    def _unlike(self, name: str, value: Any) -> str:
        covered = self.coverage.get(name)
        if covered is None or is_empty(value):
            return ""
        if "values" in covered:
            seen = value in covered["values"]
            return "" if seen else f"{name} is {short_repr(value)}, which the training data do not contain."
        low, high = covered["low"], covered["high"]
        if low <= value <= high:
            return ""
        unit = next(feature.unit for feature in self.spec.features if feature.name == name)
        low, high, value = (format_value(x, 6) for x in (low, high, value))
        span = f"{low} to {high} {unit}".rstrip()
        return f"{name} is {value}, but the model was trained on {span} only."

    def _ready(self, rows: Any) -> pd.DataFrame:
        frame = self.spec.validate(rows)
        if outside := self.outside_training(frame):
            more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
            warnings.warn(f"{outside[0]}{more}", OutsideTrainingDataWarning, stacklevel=3)
        return frame
