"""How well a model does when it is trained again, on other rows and on fewer."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from irislib._common.theme import AUBERGINE, ORANGE, WARM_GREY
from irislib._modeling import training
from irislib.errors import NotApplicableError
from irislib.insights._background import EXPLAINED, SPREAD, scorer
from irislib.insights._base import Insight, legend
from irislib.insights._long_running import on_demand

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from irislib._modeling.model import Model

__all__ = ["cross_validation", "learning_curve"]

FOLDS = 5
REPEATS = 4  # of cross-validation, each time in another order
PARTS = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the training rows, for the learning curve

Measured = dict[str, list[Any]]


def _folds(model: Model, target: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where the rows of each fold's training and test stand."""
    import numpy as np
    from sklearn.model_selection import KFold, StratifiedKFold

    n = min(FOLDS, len(target) // (2 if model.classes is None else 1))  # R² takes two rows
    if n < 2:
        raise NotApplicableError(f"{model.spec.title} has too few rows to be trained on parts of them.")
    if model.classes is not None and np.unique(target, return_counts=True)[1].min() >= n:
        return list(StratifiedKFold(n, shuffle=True, random_state=seed).split(target, target))
    return list(KFold(n, shuffle=True, random_state=seed).split(target))


def _scored_folds(model: Model) -> Generator[float, None, Measured]:
    """Train and score as often as there are folds, and the baseline beside it."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.metrics import mean_absolute_error

    features, target = training.training_data(model)
    is_class = model.classes is not None
    _, score = scorer(model)
    found: Measured = {"repeat": [], "fold": [], "rows": [], "score": [], "baseline": [], "error": []}
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
            except ValueError:  # such as of a category that no other row has
                reached, error = math.nan, None if is_class else math.nan
            for name, value in zip(found, (repeat + 1, i + 1, len(test), reached, guess, error), strict=True):
                found[name].append(value)
            yield (repeat * len(folds) + i + 1) / (REPEATS * len(folds))
    return found


@on_demand(_scored_folds, "How much it hangs on the rows it was trained on")
def cross_validation(model: Model, measured: Measured) -> Insight:
    """How well the model does when it is trained on other parts of the data: the spread over 20 trainings.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Told after each training which part of the work is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has a row for each fold with its accuracy or R², for a regression its mean absolute error too, and
        the score of always answering the commonest class, or the mean.

    Raises
    ------
    NotApplicableError
        Where the data have changed since the model was trained, or where it cannot be trained on parts of them.

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
    shown = _percent if model.classes is not None else "{:.2f}".format
    trained = frame[name].dropna()
    if trained.empty:
        raise NotApplicableError(f"{model.spec.title} cannot be trained on parts of its data.")
    low, middle, high = np.quantile(trained, [0, 0.5, 1])
    failed = f" ({len(frame) - len(trained)} more times it failed)" if len(trained) < len(frame) else ""
    by_chance = shown(frame[f"baseline {name}"].mean())
    text = (
        f"Trained {len(trained)} times on other parts of the data{failed} its {_named(name)} is {shown(middle)} in "
        f"the middle, {shown(low)} at worst and {shown(high)} at best, on rows it has not seen; guessing has "
        f"{by_chance}."
    )

    def draw(axes: Axes) -> None:
        heights = np.linspace(-0.3, 0.3, len(frame))
        axes.scatter(frame[name], heights, color=AUBERGINE, s=30, label="the model, one point for each training")
        axes.scatter(frame[f"baseline {name}"], heights, color=WARM_GREY, s=20, label="guessing")
        axes.axvline(middle, color=ORANGE, linewidth=2)
        axes.set_yticks([])
        axes.set_ylim(-0.5, 0.5)
        axes.set_xlabel(f"{name} on rows it has not seen")
        legend(axes)

    return Insight(cross_validation.title, frame, text, draw, height=2.4)


def _named(score: str) -> str:
    return f"{score} ({EXPLAINED})" if score == "R²" else score


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _scored_sizes(model: Model) -> Generator[float, None, Measured]:
    """Train each fold on more and more of its rows."""
    import numpy as np

    features, target = training.training_data(model)
    _, score = scorer(model)
    folds = _folds(model, target, model.spec.random_state)
    rng = np.random.RandomState(model.spec.random_state)  # scikit-learn's own, so that it agrees
    orders = [rng.permutation(train) for train, _ in folds]
    most = min(map(len, orders))
    sizes = sorted({max(2, int(part * most)) for part in PARTS})
    found: Measured = {"size": [], "fold": [], "seen": [], "unseen": []}
    for i, ((_, test), order) in enumerate(zip(folds, orders, strict=True)):
        for j, size in enumerate(sizes):
            rows = order[:size]
            try:
                estimator = training.unfitted(model.spec).fit(features.iloc[rows], target[rows])
                scores = [float(score(target[some], estimator.predict(features.iloc[some]))) for some in (rows, test)]
            except ValueError:  # so few rows may hold one class only, and some estimators take no such
                scores = [math.nan, math.nan]
            for name, value in zip(found, (size, i + 1, *scores), strict=True):
                found[name].append(value)
            yield (i * len(sizes) + j + 1) / (len(folds) * len(sizes))
    return found


@on_demand(_scored_sizes, "Would more rows help")
def learning_curve(model: Model, measured: Measured) -> Insight:
    """How well the model does when it is trained on fewer rows: whether more would help.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Told after each training which part of the work is done; may raise to cancel.

    Returns
    -------
    Insight
        Its frame has for each number of training rows the mean accuracy or R² over five folds, on rows that the model
        has not seen and on those it was trained on, each with its standard deviation.

    Raises
    ------
    NotApplicableError
        Where the data have changed since the model was trained, or where it cannot be trained on fewer rows.

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
        raise NotApplicableError(f"{model.spec.title} cannot be trained on fewer rows than it has.")
    unseen, seen = f"{name} on unseen rows", f"{name} on training rows"
    frame = pd.DataFrame({
        "training rows": list(table.groups),
        unseen: table["unseen"].mean(), SPREAD: table["unseen"].std(ddof=0),
        seen: table["seen"].mean(), f"{SPREAD} on training rows": table["seen"].std(ddof=0),
    }).reset_index(drop=True)  # fmt: skip
    text = _advice(model, frame, name, unseen)

    looks = ((unseen, SPREAD, AUBERGINE, "-"), (seen, f"{SPREAD} on training rows", ORANGE, "--"))

    def draw(axes: Axes) -> None:
        sizes = frame["training rows"]
        for column, spread, colour, dashes in looks:
            axes.plot(sizes, frame[column], dashes, color=colour, linewidth=2, marker="o", label=column)
            ends = (frame[column] - frame[spread], frame[column] + frame[spread])
            axes.fill_between(sizes, *ends, color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel("training rows")
        axes.set_ylabel(name)
        axes.set_xlim(left=0)
        legend(axes)

    return Insight(learning_curve.title, frame, text, draw, height=3.4)


def _advice(model: Model, frame: Any, name: str, unseen: str) -> str:
    shown = _percent if model.classes is not None else "{:.2f}".format
    last = frame.iloc[-1]
    start = (
        f"With {last['training rows']:.0f} training rows its {_named(name)} on rows it has not seen is "
        f"{shown(last[unseen])}"
    )
    if len(frame) < 2:
        return f"{start}; with fewer it could not be trained."
    before = frame.iloc[-2]
    # a gain has to stand out from the folds' spread, and to be worth somebody's work
    helps = last[unseen] - before[unseen] > max(0.01, last[SPREAD] / FOLDS**0.5)
    advice = "more rows would probably help" if helps else "more rows like these would hardly help"
    return f"{start}, with {before['training rows']:.0f} it is {shown(before[unseen])}: {advice}."
