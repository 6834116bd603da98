"""Importances of features."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, within_sentence
from irislib._common.language import column_label, localize
from irislib._common.messages.insights import TEXTS
from irislib._compiled import pipeline_steps
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import answering_mixtures, background_rows, changed_rows, scorer, with_column
from irislib.insights._base import Insight
from irislib.insights._columns import columns
from irislib.insights._long_running import on_demand
from irislib.insights._partial_dependence import ranked_features
from irislib.insights._phrases import SPREAD
from irislib.insights._time_budget import MAX_CELLS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["feature_importances", "is_forest", "permutation_importance", "strongest_features"]

SHUFFLES = 5  # shufflings of each feature
MAX_BARS = 12  # in the chart
LEAST_LOSS = 0.01  # that two decimals show
RANKING_SECONDS = 3  # for the order of a form's fields


@takes_model
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
        raise NotApplicableError(TEXTS["no_forest"].format(estimator=kind))
    owners = _owners(model, forest)
    mean, *trees = (
        np.bincount(owners, one.feature_importances_, len(model.spec.features)) for one in (forest, *forest.estimators_)
    )
    frame = _importances(model, "importance", mean.tolist(), np.std(trees, axis=0).tolist())
    key = "feature_importances.text" if mean.any() else "feature_importances.text_none"
    text = TEXTS[key].format(feature=within_sentence(frame["feature"][0]), trees=len(trees))
    return _with_bars(TEXTS["feature_importances.title"], frame, text)


def is_forest(estimator: Any) -> bool:
    """Return True if an estimator, or a Pipeline's last step, averages trees, each of which has importances."""
    from sklearn import ensemble

    forests = (
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    return isinstance(pipeline_steps(estimator)[1], forests)


def _owners(model: Model, forest: Any) -> np.ndarray:
    """Return the position of the feature that each of the forest's columns is made of.

    Raises
    ------
    NotApplicableError
    """
    import numpy as np
    import pandas as pd

    if not pipeline_steps(model.estimator)[0]:
        return np.arange(len(model.spec.features))
    background = background_rows(model)
    rare: dict[Any, dict[int, Any]] = {}  # every value that the data cover is in one of these rows
    for name, column in zip(model.spec.feature_names, model.spec.columns, strict=True):
        covered = model.coverage.get(name, {})
        values = covered.get("values") or [covered[end] for end in ("low", "high") if end in covered]
        rare[column] = dict(enumerate(values))
    count = max(map(len, rare.values()))
    rows = pd.concat([background, changed_rows(background.iloc[:1], count, rare)], ignore_index=True)
    if (transformed := columns(model.estimator, rows[:1], rows)) is not None:
        values_of_columns, owners = transformed
        is_constant = np.array([len(pd.unique(column)) == 1 for column in values_of_columns.T])
        if not forest.feature_importances_[is_constant].any():
            return owners
    raise NotApplicableError(TEXTS["mixed_features"])


def _shuffled(model: Model) -> Generator[float, None, dict[str, list[float]]]:
    """Shuffle one feature after the other, as scikit-learn does, but predict the rows of several shufflings at once."""
    import numpy as np

    rows, target = model.evaluation.features, model.evaluation.y_true
    _, measure = scorer(model)
    baseline = measure(target, model.predict_frame(rows))
    orders = _shuffled_positions(len(rows), model.spec.random_state)
    at_once = min(SHUFFLES, max(1, MAX_CELLS // rows.size))
    repeated = rows.take(np.tile(np.arange(len(rows)), at_once)).reset_index(drop=True)
    measured: dict[str, list[float]] = {"mean": [], "spread": []}
    for i, name in enumerate(rows):
        values, losses = rows[name].array, []
        for first in range(0, SHUFFLES, at_once):
            part = orders[first : first + at_once]
            shuffled = with_column(repeated[: part.size], name, values.take(part.ravel()))
            with answering_mixtures(model):
                predictions = np.asarray(model.predict_frame(shuffled))
            losses += [baseline - measure(target, y_pred) for y_pred in np.split(predictions, len(part))]
        measured["mean"].append(float(np.mean(losses)))
        measured["spread"].append(float(np.std(losses)))
        yield (i + 1) / rows.shape[1]
    return measured


def _shuffled_positions(n: int, seed: int) -> np.ndarray:
    """Return the positions of shuffled rows, the same as scikit-learn's, of shape (SHUFFLES, n)."""
    import numpy as np

    rng = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    order, shuffled, orders = np.arange(n), np.arange(n), []
    for _ in range(SHUFFLES):
        rng.shuffle(order)
        shuffled = shuffled[order]
        orders.append(shuffled)
    return np.array(orders)


@on_demand(_shuffled, TEXTS["permutation_importance.title"], at_once=True)
def permutation_importance(model: Model, measured: dict[str, list[float]]) -> Insight:
    """Measure how much worse the held-out score gets when one feature's values are shuffled.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Called after each feature with the part of the work that is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has for each feature the loss of accuracy, for a regression of R², and the standard deviation over
        five shufflings.

    Notes
    -----
    Source: Breiman (2001), as above; the same as :func:`sklearn.inspection.permutation_importance`, seeded as the
    model is, which predicts the rows of each shuffling by themselves.
    """
    score, _ = scorer(model)
    meaning = TEXTS["permutation_importance.accuracy" if model.classes else "explained"]
    frame = _importances(model, f"loss of {score}", measured["mean"], measured["spread"])
    feature, loss = frame["feature"][0], frame.iloc[0, 1]
    text = TEXTS["permutation_importance.text" if loss > 0 else "permutation_importance.text_none"].format(
        feature=feature,
        measure=TEXTS["measure_explained"].format(measure=column_label(score), meaning=meaning),
        loss=localize(f"{loss:.2f}") if loss >= LEAST_LOSS else format_value(loss, 1),
        repeats=SHUFFLES,
    )
    return _with_bars(permutation_importance.title, frame, text)


def strongest_features(model: Model) -> list[str]:
    """Return the names of the features that matter most, the strongest first, from what is known already.

    That is a stored permutation importance, or else the importances of a forest or tree without a Pipeline, or else
    what moves the predictions of a few rows most. The list is empty if that takes too long, or cannot be told.
    """
    names = model.spec.feature_names
    if (stored := permutation_importance.stored(model)) is not None:
        by_label = {feature.label: feature.name for feature in model.spec.features}
        return [by_label[label] for label in stored.frame["feature"][:MAX_BARS]]
    importances = getattr(model.estimator, "feature_importances_", ())
    if len(importances) != len(names):
        return [feature.name for feature in ranked_features(model, RANKING_SECONDS)[:MAX_BARS]]
    order = sorted(range(len(names)), key=lambda i: -importances[i])
    return [names[i] for i in order[:MAX_BARS]]


def _importances(model: Model, name: str, mean: Sequence[float], spread: Sequence[float]) -> pd.DataFrame:
    import pandas as pd

    labels = [feature.label for feature in model.spec.features]
    frame = pd.DataFrame({"feature": labels, name: mean, SPREAD: spread})
    return frame.sort_values(name, ascending=False, ignore_index=True)


def _with_bars(title: str, frame: pd.DataFrame, text: str) -> Insight:
    if len(frame) > MAX_BARS:
        text = TEXTS["importance.some"].format(start=text, count=MAX_BARS, total=len(frame))
    top = frame.head(MAX_BARS)
    draw = partial(_drawing.bars, frame=top, names="feature", values=frame.columns[1], errors=SPREAD)
    return Insight(title, frame, text, draw, 0.8 + 0.45 * len(top))
