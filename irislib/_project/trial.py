"""The model that a drafted model.py describes, trained as `irislib.load` will train it, and what it shows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share, format_value
from irislib._common.messages.new import MEASURES
from irislib._description.class_names import to_names
from irislib._modeling.training import held_out_rows, train
from irislib._project.findings import Finding, find, show_list
from irislib._project.scores import log_loss
from irislib.errors import IrislibError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["Trial", "answers_of", "describe_measures", "is_better", "result_findings", "try_source"]

NEAR_PERFECT, FAR_BELOW = 0.99, 0.9  # an accuracy or R² that is hardly ever reached, and a baseline far below it


@dataclass(frozen=True)
class Trial:
    """A training of the model of model.py.

    Attributes
    ----------
    model : Model or None
        None if it cannot be trained.
    failure : str
        Why.
    x : DataFrame
        All rows, as the estimator gets them.
    held_out : ndarray of int
        The positions of the test rows, in the order of the model's evaluation.
    """

    model: Model | None
    failure: str
    x: pd.DataFrame
    held_out: np.ndarray


def answers_of(model: Model, x: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model answers for rows as its estimator gets them, and the probability of each answer, or 1."""
    import numpy as np

    has_shares = model.classes is not None and hasattr(model.estimator, "predict_proba")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an estimator that was fitted without names
        predicted = to_names(model.spec.classes, np.ravel(model.estimator.predict(x)))
        return predicted, model.estimator.predict_proba(x).max(axis=1) if has_shares else np.ones(len(x))


def try_source(source: str, frame: pd.DataFrame, x: pd.DataFrame) -> Trial:
    """Train the model of the text of a model.py with what its load_data returns; x are the checked features."""
    import numpy as np

    names: dict[str, Any] = {"__name__": "model", "__file__": "model.py"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes with few rows, which a finding says
            exec(source, names)  # noqa: S102 - our own text
            model = train(names["spec"], frame)
        return Trial(model, "", x, held_out_rows(names["spec"], frame))
    except (IrislibError, ValueError) as error:
        return Trial(None, str(error), x, np.arange(0))


def is_better(metrics: dict[str, float]) -> bool:
    """Return whether a model is better than its baseline, as the project's own test has it."""
    if "balanced_accuracy" in metrics:
        return metrics["balanced_accuracy"] > metrics["baseline_balanced_accuracy"]
    return metrics["mean_absolute_error"] < metrics["baseline_mean_absolute_error"]


def _near_perfect(metrics: dict[str, float]) -> str:
    """Return how well a model does, if that is hardly ever so, as where an input is known only with the target."""
    if "accuracy" in metrics:
        is_far = metrics["accuracy"] >= NEAR_PERFECT and metrics["baseline_accuracy"] <= FAR_BELOW
        return MEASURES["share"].format(share=format_share(metrics["accuracy"])) if is_far else ""
    return MEASURES["r2"].format(r2=metrics["r2"]) if metrics["r2"] >= NEAR_PERFECT else ""


def result_findings(trial: Trial, target: Any) -> list[Finding]:
    """Return findings on what the model of a trial answers for its test rows."""
    import numpy as np

    if trial.model is None:
        return []
    evaluation, findings = trial.model.evaluation, []
    if not is_better(evaluation.metrics):
        findings.append(find("no_better_number" if trial.model.classes is None else "no_better", target=target))
    if score := _near_perfect(evaluation.metrics):
        findings.append(find("near_perfect", target=target, score=score, rows=f"{len(evaluation.y_true):,}"))
    if trial.model.classes is not None:
        true, counts = np.unique(evaluation.y_true, return_counts=True)
        predicted = set(evaluation.y_pred.tolist())
        never = [name for name in true[np.argsort(-counts, kind="stable")].tolist() if name not in predicted]
        if never:
            rows = f"{len(evaluation.y_true):,}"
            findings.append(find("never", target=target, classes=show_list(never), rows=rows))
    return findings


def describe_measures(model: Model) -> str:
    """Return how well a model does on its test rows, beside its baseline."""
    evaluation = model.evaluation
    metrics = evaluation.metrics
    if model.classes is None:
        errors = metrics["mean_absolute_error"], metrics["baseline_mean_absolute_error"]
        texts = _told_apart(*errors, lambda error, digits: format_value(error, 4 + digits))
        return MEASURES["error"].format(error=texts[0], baseline=texts[1], r2=metrics["r2"])
    shares = metrics["accuracy"], metrics["baseline_accuracy"]
    texts = _told_apart(*shares, lambda share, digits: f"{share:.{digits}%}" if digits else format_share(share))
    facts = {"accuracy": texts[0], "baseline": texts[1]}
    if evaluation.y_proba is None:
        return MEASURES["accuracy"].format(**facts)
    loss = log_loss(evaluation.y_true.tolist(), evaluation.y_proba, model.classes)
    return MEASURES["accuracy_loss"].format(**facts, loss=loss)


def _told_apart(first: float, second: float, write: Any) -> tuple[str, str]:
    """Return two numbers as texts, with a digit more if they differ and their texts do not."""
    texts = [(write(first, digits), write(second, digits)) for digits in (0, 1)]
    return texts[1] if texts[0][0] == texts[0][1] and first != second else texts[0]
