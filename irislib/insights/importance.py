"""Which features a model relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib.errors import NotApplicableError
from irislib.insights.base import Insight, bars

if TYPE_CHECKING:
    import numpy as np

    from irislib.model import Model

__all__ = ["feature_importances", "permutation_importance"]


def feature_importances(model: Model) -> Insight:
    """Impurity-based importances of a forest, with their standard deviation over its trees.

    They add up to 1. Source: L. Breiman (2001), Random Forests, Machine Learning 45, 5-32,
    doi:10.1023/A:1010933404324; computed as scikit-learn does.

    Raises
    ------
    NotApplicableError
        For an estimator that is no forest; :func:`permutation_importance` suits any.
    """
    import numpy as np

    if not is_forest(model.estimator):
        kind = type(model.estimator).__name__
        raise NotApplicableError(f"{kind} is no forest to take importances from; see permutation_importance.")
    trees = model.estimator.estimators_
    spread = np.std([tree.feature_importances_ for tree in trees], axis=0)
    how = f"each bar is the mean over {len(trees)} trees, each line its standard deviation"
    return _importance(
        model, "What the model relies on", "importance", model.estimator.feature_importances_, spread, how
    )


def is_forest(estimator: Any) -> bool:
    """Whether an estimator averages trees, each of which has importances."""
    from sklearn import ensemble

    forests = (
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    return isinstance(estimator, forests)


def permutation_importance(model: Model, n_repeats: int = 5) -> Insight:
    """How much worse the held-out score gets when one feature's values are shuffled.

    Parameters
    ----------
    model : Model
    n_repeats : int
        How often each feature is shuffled; the standard deviation is over these.

    Notes
    -----
    The score is accuracy for a classifier, R² for a regressor. Source: Breiman (2001), as above;
    computed by :func:`sklearn.inspection.permutation_importance`, seeded as the model is.
    """
    from sklearn.inspection import permutation_importance as permute

    held_out = model.evaluation
    found = permute(
        model.estimator,
        held_out.features,
        held_out.y_true,
        n_repeats=n_repeats,
        random_state=model.spec.random_state,
    )
    score = "accuracy" if model.classes else "R²"
    how = f"each bar is the mean over {n_repeats} shufflings, each line its standard deviation"
    return _importance(
        model, "What it could not do without", f"loss of {score}", found.importances_mean, found.importances_std, how
    )


def _importance(model: Model, title: str, what: str, mean: np.ndarray, sd: np.ndarray, how: str) -> Insight:
    import pandas as pd

    labels = [feature.label for feature in model.spec.features]
    frame = pd.DataFrame({"feature": labels, what: mean, "SD": sd})
    frame = frame.sort_values(what, ascending=False, ignore_index=True)
    text = f"The model relies most on {frame['feature'][0]}; {how}."
    height = 0.8 + 0.45 * len(frame)
    return Insight(title, frame, text, bars(frame, "feature", what, "SD"), height)
