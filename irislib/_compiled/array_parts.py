"""Parts that have no fast form: scikit-learn itself, asked with an array of one row instead of a frame."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowTransform
from irislib._compiled.predictors import TOLERANCE, highest
from irislib._compiled.single_row import one_row_frame, single_threaded
from irislib._description.values import to_python

if TYPE_CHECKING:
    import numpy as np

    from irislib._description.feature import Feature

__all__ = ["ArrayPredictor", "array_predictor", "array_transform", "framed_steps"]

# The source of their predict takes the class of the largest probability, so that one call gives both.
LIKELIEST = (
    *("KNeighborsClassifier", "QuadraticDiscriminantAnalysis", "DecisionTreeClassifier", "RandomForestClassifier"),
    *("ExtraTreesClassifier", "CategoricalNB", "ComplementNB", "GaussianNB", "BaggingClassifier"),
    *("CalibratedClassifierCV", "HistGradientBoostingClassifier"),
)
# They take columns by their names, or functions that may do so.
NAMED = ("ColumnTransformer", "FunctionTransformer", "Pipeline", "FeatureUnion")
VECTORIZERS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")  # they take texts


@dataclass(frozen=True, slots=True)
class ArrayPredictor:
    """An estimator of scikit-learn.

    Attributes
    ----------
    estimator : fitted estimator
    classes : list or None
        None for a regression.
    reason : str
        Why it has no faster form.
    """

    estimator: Any
    classes: list[Any] | None
    reason: str
    tolerance: float = TOLERANCE
    is_slow: bool = True

    @property
    def text(self) -> str:
        """The method of prediction, as the end of a sentence."""
        return f"asking {type(self.estimator).__name__} with an array, as {self.reason.rstrip('.')}"

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        rows = _array(row)
        with single_threaded():
            if self.classes is None or not hasattr(self.estimator, "predict_proba"):
                return to_python(self.estimator.predict(rows).ravel()[0]), None
            probabilities = self.estimator.predict_proba(rows)[0].tolist()
            if type(self.estimator).__name__ in LIKELIEST:
                return self.classes[highest(probabilities)], probabilities
            return to_python(self.estimator.predict(rows).ravel()[0]), probabilities

    def decide(self, row: Row) -> list[float]:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        if not hasattr(self.estimator, "decision_function"):
            raise HardRowError
        with single_threaded():
            return self.estimator.decision_function(_array(row)).ravel().tolist()  # type: ignore[no-any-return]


def _array(row: Row) -> np.ndarray:
    import numpy as np

    return np.array([row], dtype=float)


def array_predictor(estimator: Any, reason: str) -> ArrayPredictor:
    """Make the part that asks an estimator of scikit-learn with an array.

    Parameters
    ----------
    estimator : fitted estimator
    reason : str
        Why it has no faster form, as the end of a sentence.

    Raises
    ------
    NoFasterFormError
        With this reason, if it cannot be asked in this way.
    """
    nameless = _without_names(estimator, reason)
    classes = getattr(estimator, "classes_", None)
    _try(lambda: nameless.predict(_zeros(estimator)), reason)
    return ArrayPredictor(nameless, None if classes is None else classes.tolist(), reason)


def array_transform(step: Any, reason: str) -> RowTransform:
    """Make the part that asks a transformer of scikit-learn with an array, or with a text; see `array_predictor`."""
    if type(step).__name__ in VECTORIZERS and _is_scikit_learn(step):
        return lambda row: step.transform(row).toarray()[0].tolist()
    nameless = _without_names(step, reason)
    _try(lambda: nameless.transform(_zeros(step)), reason)

    def transform(row: Row) -> Row:
        with single_threaded():
            return dense(nameless.transform(_array(row)))[0].tolist()  # type: ignore[no-any-return]

    return transform


def framed_steps(features: list[Feature], steps: list[Any]) -> RowTransform:
    """Return the function that lets scikit-learn itself do the first steps of a Pipeline, on one named row."""

    def transform(row: Row) -> Row:
        output: Any = one_row_frame(features, [None if value != value else value for value in row])
        try:
            with single_threaded():
                for step in steps:
                    output = step.transform(output)
        except Exception as error:  # scikit-learn's own prediction will say what is wrong
            raise HardRowError from error
        return dense(output)[0].tolist()  # type: ignore[no-any-return]

    return transform


def dense(output: Any) -> np.ndarray:
    """Return the output of a transformer as an array of numbers."""
    import numpy as np

    return np.asarray(output.toarray() if hasattr(output, "toarray") else output, dtype=float)


def _is_scikit_learn(estimator: Any) -> bool:
    return type(estimator).__module__.startswith("sklearn.")


def _without_names(estimator: Any, reason: str) -> Any:
    """Return a shallow copy that does not warn of an array without the names of columns."""
    if not _is_scikit_learn(estimator) or type(estimator).__name__ in NAMED:
        raise NoFasterFormError(reason)
    nameless = copy.copy(estimator)
    vars(nameless).pop("feature_names_in_", None)
    return nameless


def _zeros(estimator: Any) -> np.ndarray:
    import numpy as np

    return np.zeros((1, getattr(estimator, "n_features_in_", 1)))


def _try(ask: Callable[[], Any], reason: str) -> None:
    """Raise NoFasterFormError if a part of it warns of an array, or takes none."""
    with warnings.catch_warnings(record=True) as caught, single_threaded():
        warnings.simplefilter("always")
        try:
            ask()
        except Exception as error:
            raise NoFasterFormError(reason) from error
    if any("feature names" in str(warning.message) for warning in caught):
        raise NoFasterFormError(reason)
