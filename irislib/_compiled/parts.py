"""The parts of a fast form, made by the names of scikit-learn's classes.

To add a part, write a function that takes a fitted transformer or estimator and returns a :class:`RowTransform` or a
:class:`RowPredictor`, or raises :class:`NoFasterFormError` for one that it does not cover. Then list it in a table of
its module. The function of a part that has parts itself takes :class:`Parts`, too, to make them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from irislib._compiled.array_parts import array_predictor, array_transform
from irislib._compiled.boosting import BOOSTERS
from irislib._compiled.catboost_trees import CATBOOST
from irislib._compiled.category_steps import CATEGORY_STEPS
from irislib._compiled.column_steps import COLUMN_STEPS
from irislib._compiled.composition import COMPOSITIONS
from irislib._compiled.constants import CONSTANTS
from irislib._compiled.fast_form import HardCase, NoFasterFormError, RowPredictor, RowTransform
from irislib._compiled.gaussian_processes import GAUSSIAN_PROCESSES
from irislib._compiled.linear import LINEAR
from irislib._compiled.neighbors import NEIGHBORS
from irislib._compiled.numeric_steps import NUMERIC_STEPS
from irislib._compiled.several_classes import SEVERAL_CLASSES
from irislib._compiled.smooth import SMOOTH
from irislib._compiled.spline_steps import SPLINE_STEPS
from irislib._compiled.text_steps import TEXT_STEPS
from irislib._compiled.tree_form import TREES
from irislib._compiled.voting import VOTING

__all__ = ["Parts"]

# An estimator of another package may have the name of one of scikit-learn's, but not its package.
PACKAGES = ("sklearn", "xgboost", "lightgbm", "catboost")

LEAVES: dict[str, Callable[[Any], RowPredictor]] = {**LINEAR, **SMOOTH, **NEIGHBORS, **CONSTANTS}
NESTING: dict[str, Callable[[Any, Any], RowPredictor]] = {
    **TREES,
    **BOOSTERS,
    **CATBOOST,
    **COMPOSITIONS,
    **VOTING,
    **SEVERAL_CLASSES,
    **GAUSSIAN_PROCESSES,
}
STEPS: dict[str, Callable[[Any], RowTransform]] = {**NUMERIC_STEPS, **SPLINE_STEPS, **CATEGORY_STEPS, **TEXT_STEPS}


class Parts:
    """The maker of the parts of one fast form.

    Parameters
    ----------
    may_be_missing : bool
        True if a value may be missing.

    Attributes
    ----------
    hard_cases : list of callable
        What the parts made so far have to be proved on besides rows of the model; see :class:`Candidate`.
    without_form : list of str
        The names of the transformers that have no fast form, so that scikit-learn is asked with an array.
    calculates : bool
        Whether a transformer is among the parts that makes other numbers of numbers.
    n_trees : int
        The number of trees of the part that has most.
    """

    def __init__(self, may_be_missing: bool):
        self.may_be_missing = may_be_missing
        self.hard_cases: list[HardCase] = []
        self.without_form: list[str] = []
        self.calculates = False
        self.n_trees = 0

    def predictor(self, estimator: Any) -> RowPredictor:
        """Make the part for a fitted classifier or regressor, or let scikit-learn be asked with an array.

        Raises
        ------
        NoFasterFormError
        """
        count = len(self.hard_cases)
        try:
            return self._made(estimator, LEAVES, NESTING)  # type: ignore[no-any-return]
        except NoFasterFormError as error:
            del self.hard_cases[count:]
            return array_predictor(estimator, str(error))

    def transform(self, step: Any) -> RowTransform:
        """Make the part for a fitted transformer, or let scikit-learn be asked with an array.

        Raises
        ------
        NoFasterFormError
        """
        if step is None or step == "passthrough":
            return lambda row: row
        if step == "drop":
            return lambda row: []
        self.calculates |= type(step).__name__ not in {**CATEGORY_STEPS, **COLUMN_STEPS}
        try:
            return self._made(step, STEPS, COLUMN_STEPS)  # type: ignore[no-any-return]
        except NoFasterFormError as error:
            function = array_transform(step, str(error))
        self.without_form.append(type(step).__name__)
        return function

    def _made(self, estimator: Any, leaves: dict[str, Any], nesting: dict[str, Any]) -> Any:
        name = type(estimator).__name__
        if type(estimator).__module__.partition(".")[0] not in PACKAGES:
            raise NoFasterFormError(f"there is no faster form of {name}.")
        try:
            if name in leaves:
                return leaves[name](estimator)
            if name in nesting:
                return nesting[name](estimator, self)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            package = type(estimator).__module__.partition(".")[0].replace("sklearn", "scikit-learn")
            raise NoFasterFormError(f"this {package} keeps the parts of {name} in another way ({error}).") from error
        raise NoFasterFormError(f"there is no faster form of {name}.")
