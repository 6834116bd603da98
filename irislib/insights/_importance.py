"""Which features a model relies on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled import pipeline_steps
from irislib.errors import NotApplicableError
from irislib.insights._background import EXPLAINED, SPREAD, background_rows, scorer
from irislib.insights._base import Insight, bars
from irislib.insights._columns import columns
from irislib.insights._long_running import on_demand

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["feature_importances", "is_forest", "permutation_importance"]

REPEATS = 5  # shufflings of each feature


def feature_importances(model: Model) -> Insight:
    """Impurity-based importances of a forest, with their standard deviation over its trees.

    They add up to 1. Those of the columns that a Pipeline's steps make of one feature, such as a category, are added
    up.

    Raises
    ------
    NotApplicableError
        For an estimator that is no forest, or where the steps before it mix features;
        :func:`permutation_importance` suits any.

    Notes
    -----
    Source: L. Breiman (2001), Random Forests, Machine Learning 45, 5-32, doi:10.1023/A:1010933404324; computed as
    scikit-learn does.
    """
    import numpy as np

    forest = pipeline_steps(model.estimator)[1]
    if not is_forest(forest):
        kind = type(forest).__name__
        raise NotApplicableError(f"{kind} is no forest to take importances from; see permutation_importance.")
    owners = _owners(model, forest)
    mean, *each = (
        np.bincount(owners, one.feature_importances_, len(model.spec.features)) for one in (forest, *forest.estimators_)
    )
    frame = _importances(model, "importance", mean.tolist(), np.std(each, axis=0).tolist())
    start = f"The model relies most on {frame['feature'][0]}" if mean.any() else "The model's trees ask for no feature"
    text = (
        f"{start}; each bar is the mean over {len(each)} trees, each line "
        "their standard deviation: how much they differ."
    )
    return _drawn("What the model relies on", frame, text)


def is_forest(estimator: Any) -> bool:
    """Whether an estimator, or a Pipeline's last step, averages trees, each of which has importances."""
    from sklearn import ensemble

    forests = (
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    return isinstance(pipeline_steps(estimator)[1], forests)


def _owners(model: Model, forest: Any) -> np.ndarray:
    """Which feature each column that the forest sees is made of.

    Raises
    ------
    NotApplicableError
    """
    import numpy as np
    import pandas as pd

    if not pipeline_steps(model.estimator)[0]:
        return np.arange(len(model.spec.features))
    usual = background_rows(model)
    covered = model.coverage.items()
    values = {name: told["values"] if "values" in told else [told["low"], told["high"]] for name, told in covered}
    rare = [usual.iloc[:1].assign(**{name: value}) for name in values for value in values[name]]
    rows = pd.concat([usual, *(row.astype(usual.dtypes.to_dict()) for row in rare)], ignore_index=True)
    if (found := columns(model.estimator, rows[:1], rows)) is not None:
        seen, owners = found
        is_still = np.array([len(pd.unique(column)) == 1 for column in seen.T])
        if not forest.feature_importances_[is_still].any():
            return owners
    raise NotApplicableError(
        "What is before the forest mixes features, or makes a column that hardly ever changes; see "
        "permutation_importance."
    )


def _shuffled(model: Model) -> Generator[float, None, dict[str, list[float]]]:
    """Shuffle one feature after the other; each by itself is what scikit-learn does with all of them."""
    from sklearn.inspection import permutation_importance as permute

    rows, target = model.evaluation.features, model.evaluation.y_true
    found: dict[str, list[float]] = {"mean": [], "spread": []}
    _, measure = scorer(model)

    def score(estimator: Any, column: pd.DataFrame, target: np.ndarray) -> float:
        return float(measure(target, estimator.predict(rows.assign(**{name: column[name] for name in column}))))

    for i, name in enumerate(rows):
        one = permute(
            *(model.estimator, rows[[name]], target),
            scoring=score,
            n_repeats=REPEATS,
            random_state=model.spec.random_state,
        )
        found["mean"].append(float(one.importances_mean[0]))
        found["spread"].append(float(one.importances_std[0]))
        yield (i + 1) / rows.shape[1]
    return found


@on_demand(_shuffled, "What it could not do without", at_once=True)
def permutation_importance(model: Model, measured: dict[str, list[float]]) -> Insight:
    """How much worse the held-out score gets when one feature's values are shuffled.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Told after each feature which part of the work is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has for each feature the loss of accuracy, for a regression of R², and the standard deviation over
        five shufflings.

    Notes
    -----
    Source: Breiman (2001), as above; computed by :func:`sklearn.inspection.permutation_importance`, seeded as the
    model is.
    """
    score, _ = scorer(model)
    meaning = "the share of right answers" if model.classes else EXPLAINED
    frame = _importances(model, f"loss of {score}", measured["mean"], measured["spread"])
    most = frame.iloc[0]
    if most.iloc[1] > 0:
        start = f"It could do without {most['feature']} least: when that value is shuffled, its {score} ({meaning})"
        start += f" falls by {most.iloc[1]:.2f}"
    else:
        start = f"It could do without each of them: whichever value is shuffled, its {score} ({meaning}) does not fall"
    text = f"{start}; each bar is the mean over {REPEATS} shufflings, each line their standard deviation."
    return _drawn(permutation_importance.title, frame, text)


def _importances(model: Model, what: str, mean: Sequence[float], spread: Sequence[float]) -> pd.DataFrame:
    import pandas as pd

    labels = [feature.label for feature in model.spec.features]
    frame = pd.DataFrame({"feature": labels, what: mean, SPREAD: spread})
    return frame.sort_values(what, ascending=False, ignore_index=True)


def _drawn(title: str, frame: pd.DataFrame, text: str) -> Insight:
    return Insight(title, frame, text, bars(frame, "feature", frame.columns[1], SPREAD), 0.8 + 0.45 * len(frame))
