"""Scores of a model that is trained again, on other rows and on fewer."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_count, format_share
from irislib._common.language import localize
from irislib._common.messages.insights import TEXTS
from irislib._modeling import training
from irislib._modeling.refusals import is_refusal
from irislib._modeling.training_data import training_data
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import scorer
from irislib.insights._base import Insight
from irislib.insights._long_running import on_demand
from irislib.insights._phrases import SPREAD, explained

if TYPE_CHECKING:
    import numpy as np

    from irislib._modeling.model import Model

__all__ = ["cross_validation", "learning_curve"]

FOLDS = 5
REPEATS = 4  # of cross-validation, each time in another order
PARTS = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the training rows, for the learning curve

Measured = dict[str, list[Any]]


def _folds(model: Model, target: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions of each fold's training and test rows."""
    import numpy as np
    from sklearn.model_selection import KFold, StratifiedKFold

    n = min(FOLDS, len(target) // (2 if model.classes is None else 1))  # R² takes two rows
    if n < 2:
        raise NotApplicableError(TEXTS["too_few_rows"].format(model=model.spec.title))
    if model.classes is not None and np.unique(target, return_counts=True)[1].min() >= n:
        return list(StratifiedKFold(n, shuffle=True, random_state=seed).split(target, target))
    return list(KFold(n, shuffle=True, random_state=seed).split(target))


def _scored_folds(model: Model) -> Generator[float, None, Measured]:
    """Train and score the model and the baseline on each fold."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.metrics import mean_absolute_error

    features, target = training_data(model)
    is_class = model.classes is not None
    _, score = scorer(model)
    measured: Measured = {"repeat": [], "fold": [], "rows": [], "score": [], "baseline": [], "error": []}
    for repeat in range(REPEATS):
        folds = _folds(model, target, model.spec.random_state + repeat)
        for i, (train, test) in enumerate(folds):
            dummy = (DummyClassifier() if is_class else DummyRegressor()).fit(features.iloc[train], target[train])
            guess = float(score(target[test], dummy.predict(features.iloc[test])))
            try:
                estimator = training.unfitted(model.spec).fit(features.iloc[train], target[train])
                predicted = estimator.predict(features.iloc[test])
                reached = float(score(target[test], predicted))
                error = None if is_class else float(mean_absolute_error(target[test], predicted))
            except Exception as refusal:  # such as of a category that no other row has
                if not is_refusal(model.estimator, refusal):
                    raise
                reached, error = math.nan, None if is_class else math.nan
            for name, value in zip(measured, (repeat + 1, i + 1, len(test), reached, guess, error), strict=True):
                measured[name].append(value)
            yield (repeat * len(folds) + i + 1) / (REPEATS * len(folds))
    return measured


@on_demand(_scored_folds, TEXTS["cross_validation.title"], trains=True)
def cross_validation(model: Model, measured: Measured) -> Insight:
    """Score the model when it is trained on other parts of the data: the spread over 20 trainings.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Called after each training with the part of the work that is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has a row for each fold with its accuracy or R², for a regression its mean absolute error too, and
        the score of always answering the commonest class, or the mean.

    Raises
    ------
    NotApplicableError
        If the data have changed since the model was trained, or if it cannot be trained on parts of them.

    Notes
    -----
    Five folds, four times, each time shuffled anew; classes keep their shares where each has five rows. It tells how
    much one measurement may be off by chance; the folds share rows, so that their standard deviation is no standard
    error. Sources: M. Stone (1974), Cross-validatory choice and assessment of statistical predictions, Journal of the
    Royal Statistical Society B 36, 111-147, doi:10.1111/j.2517-6161.1974.tb00994.x; Y. Bengio and Y. Grandvalet
    (2004), No unbiased estimator of the variance of K-fold cross-validation, Journal of Machine Learning Research 5,
    1089-1105.
    """
    import numpy as np
    import pandas as pd

    name, _ = scorer(model)
    frame = pd.DataFrame({key: measured[key] for key in ("repeat", "fold", "rows")})
    frame[name], frame[f"baseline {name}"] = measured["score"], measured["baseline"]
    if model.classes is None:
        unit = f" ({model.spec.target_unit})" if model.spec.target_unit else ""
        frame[f"mean absolute error{unit}"] = measured["error"]
    format_score = _format_share if model.classes is not None else _format_score
    trained = frame[name].dropna()
    if trained.empty:
        raise NotApplicableError(TEXTS["not_trainable_on_parts"].format(model=model.spec.title))
    low, middle, high = np.quantile(trained, [0, 0.5, 1])
    if low < high and format_score(low) == format_score(high):
        format_score = partial(format_score, digits=1)
    failures = len(frame) - len(trained)
    text = TEXTS["cross_validation.text"].format(
        times=len(trained),
        failed=TEXTS["cross_validation.failed"].format(times=failures) if failures else "",
        measure=explained(name),
        middle=format_score(middle),
        low=format_score(low),
        high=format_score(high),
        baseline=format_score(frame[f"baseline {name}"].mean()),
    )
    draw = partial(_drawing.cross_validation_scores, frame=frame, score=name, middle=middle)
    return Insight(cross_validation.title, frame, text, draw, height=2.4)


def _format_score(value: float, digits: int = 0) -> str:
    return localize(f"{value:.{2 + digits}f}")


def _format_share(value: float, digits: int = 0) -> str:
    return localize(f"{value:.{digits}%}") if digits else format_share(value)


def _scored_sizes(model: Model) -> Generator[float, None, Measured]:
    """Train each fold on more and more of its rows."""
    import numpy as np

    features, target = training_data(model)
    _, score = scorer(model)
    folds = _folds(model, target, model.spec.random_state)
    rng = np.random.RandomState(model.spec.random_state)  # scikit-learn's own, so that it agrees
    orders = [rng.permutation(train) for train, _ in folds]
    most = min(map(len, orders))
    sizes = sorted({max(2, int(part * most)) for part in PARTS})
    measured: Measured = {"size": [], "fold": [], "seen": [], "unseen": []}
    for i, ((_, test), order) in enumerate(zip(folds, orders, strict=True)):
        for j, size in enumerate(sizes):
            rows = order[:size]
            try:
                estimator = training.unfitted(model.spec).fit(features.iloc[rows], target[rows])
                scores = [
                    float(score(target[subset], estimator.predict(features.iloc[subset]))) for subset in (rows, test)
                ]
            except Exception as refusal:  # so few rows may hold one class only, and some estimators take no such
                if not is_refusal(model.estimator, refusal):
                    raise
                scores = [math.nan, math.nan]
            for name, value in zip(measured, (size, i + 1, *scores), strict=True):
                measured[name].append(value)
            yield (i * len(sizes) + j + 1) / (len(folds) * len(sizes))
    return measured


@on_demand(_scored_sizes, TEXTS["learning_curve.title"], trains=True)
def learning_curve(model: Model, measured: Measured) -> Insight:
    """Score the model when it is trained on fewer rows, to see if more would help.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Called after each training with the part of the work that is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has for each number of training rows the mean accuracy or R² over five folds, on rows that the model
        has not seen and on those it was trained on, each with its standard deviation.

    Raises
    ------
    NotApplicableError
        If the data have changed since the model was trained, or if it cannot be trained on fewer rows.

    Notes
    -----
    As :func:`sklearn.model_selection.learning_curve` has it, shuffled. Source: C. Perlich, F. Provost and J. S.
    Simonoff (2003), Tree induction vs. logistic regression: a learning-curve analysis, Journal of Machine Learning
    Research 4, 211-255.
    """
    import pandas as pd

    name, _ = scorer(model)
    table = pd.DataFrame(measured).dropna().groupby("size")
    if not len(table):
        raise NotApplicableError(TEXTS["not_trainable_on_fewer"].format(model=model.spec.title))
    unseen, seen = f"{name} on unseen rows", f"{name} on training rows"
    frame = pd.DataFrame({
        "training rows": list(table.groups),
        unseen: table["unseen"].mean(), SPREAD: table["unseen"].std(ddof=0),
        seen: table["seen"].mean(), f"{SPREAD} on training rows": table["seen"].std(ddof=0),
    }).reset_index(drop=True)  # fmt: skip
    text = _advice(model, frame, name, unseen)
    spreads = {unseen: SPREAD, seen: f"{SPREAD} on training rows"}
    draw = partial(_drawing.curves_with_spread, frame=frame, x="training rows", y=spreads, name=name)
    return Insight(learning_curve.title, frame, text, draw, height=3.4)


def _advice(model: Model, frame: Any, name: str, unseen: str) -> str:
    format_score = _format_share if model.classes is not None else _format_score
    last = frame.iloc[-1]
    start = TEXTS["learning_curve.start"].format(
        rows=format_count(round(last["training rows"])), measure=explained(name), score=format_score(last[unseen])
    )
    if len(frame) < 2:
        return TEXTS["learning_curve.text_one"].format(start=start)
    before = frame.iloc[-2]
    # a gain has to stand out from the folds' spread, and to be worth somebody's work
    helps = last[unseen] - before[unseen] > max(0.01, last[SPREAD] / FOLDS**0.5)
    return TEXTS["learning_curve.text" if helps else "learning_curve.text_hardly"].format(
        start=start, rows=format_count(round(before["training rows"])), score=format_score(before[unseen])
    )
