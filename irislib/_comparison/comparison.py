"""The comparison of two models: inputs, data, performance, and the answers that change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.messages.comparison import TEXTS
from irislib._comparison.held_out import SharedRows, shared_rows
from irislib._comparison.paired import CONFIDENCE, Difference, accuracies, errors, mcnemar
from irislib._comparison.schema_changes import schema_changes
from irislib._modeling.arguments import require_model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["FEWEST", "Comparison", "compare"]

FEWEST = 10  # rows; resampling fewer says little


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two versions of a model, side by side.

    Attributes
    ----------
    name, before, after : str
        The model's name, and the two versions.
    schema : list of str
        What has changed of the inputs and the target, a sentence each.
    data : dict
        ``rows``, ``training_rows`` and ``digest`` of ``before`` and ``after``.
    lost_classes, gained_classes : list
    fast_forms : tuple of two str
        Why there is no fast form of either; empty where there is one.
    rows : int
        The rows that neither was trained on, which the rest is about.
    left_out : int
        The held-out rows that one of them was trained on, or may have been.
    reason : str
        Why there are no such rows.
    metrics : dict of str to Difference
        ``accuracy`` and ``balanced_accuracy``, or ``mean_absolute_error``; the one that says most first.
    former : Difference or None
        The main metric on those of the rows that the first one was tested on, if there are 10.
    right : tuple of int, int and float, or None
        For a classifier how many rows only the first has right, only the second, and McNemar's p-value.
    changes : DataFrame
        The rows whose answers change, the largest changes first: the features, the true value, both answers, and the
        ``change`` of the number, or the largest one of a probability.
    """

    name: str
    before: str
    after: str
    schema: list[str]
    data: dict[str, dict[str, Any]]
    lost_classes: list[Any]
    gained_classes: list[Any]
    fast_forms: tuple[str, str]
    rows: int
    left_out: int
    reason: str
    metrics: dict[str, Difference]
    former: Difference | None
    right: tuple[int, int, float] | None
    changes: pd.DataFrame

    @property
    def main(self) -> str:
        """The name of the metric that says most; empty without rows."""
        return next(iter(self.metrics), "")

    @property
    def frame(self) -> pd.DataFrame:
        """The metrics of both, their difference and its 95 % interval, a row each."""
        import pandas as pd

        records = [
            {"metric": name, "before": m.before, "after": m.after, "difference": m.difference,
             "low": m.low, "high": m.high}
            for name, m in self.metrics.items()
        ]  # fmt: skip
        columns = ["metric", "before", "after", "difference", "low", "high"]
        return pd.DataFrame(records, columns=columns).set_index("metric")

    @property
    def text(self) -> str:
        """The main metric's difference, in one sentence."""
        if not self.metrics:
            return TEXTS["rows.none"].format(reason=self.reason)
        metric = self.metrics[self.main]
        if not len(self.changes) and not metric.difference:
            return TEXTS["text.same"].format(rows=self.rows)
        key = "text.more" if metric.difference > 0 else "text.less" if metric.difference else "text.equal"
        size = abs(metric.difference)
        is_share = "accuracy" in self.main
        size_text = TEXTS["points"].format(size=100 * size) if is_share else f"{size:.3g}"
        count = len(self.changes)
        changed = TEXTS["changed.one" if count == 1 else "changed"].format(count=count)
        ends = [f"{100 * end:+.1f}" if is_share else f"{end:+.3g}" for end in (metric.low, metric.high)]
        return TEXTS["text"].format(
            rows=self.rows, metric=TEXTS[self.main], difference=TEXTS[key].format(size=size_text),
            confidence=CONFIDENCE, low=ends[0], high=ends[1], changed=changed,
        )  # fmt: skip

    def to_dict(self, most_changes: int = 20) -> dict[str, Any]:
        """Return all of it as JSON has it.

        Parameters
        ----------
        most_changes : int
            The most rows of :attr:`changes`.
        """
        from irislib._comparison.report import to_dict

        return to_dict(self, most_changes)

    def __str__(self) -> str:
        from irislib._comparison.report import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from irislib._comparison.report import to_html

        return to_html(self)


def compare(before: Model, after: Model, data: pd.DataFrame | None = None) -> Comparison:
    """Compare two models: their inputs and data, and their answers for rows that neither was trained on.

    Parameters
    ----------
    before, after : Model
    data : DataFrame of shape (n_rows, n_features + 1), optional
        Rows with their target, instead of the test rows that came with the models. Those that either model was trained
        on are left out, as far as that is known.

    Returns
    -------
    Comparison
        A notebook shows it, and ``print`` prints it.

    Raises
    ------
    DataError
        If the data do not fit the description of either.
    NotApplicableError
        If one is no model.

    Notes
    -----
    Test rows of one model may be training rows of the other. A model has a digest of each row that it was trained on,
    and only such test rows are compared as neither was trained on; ``left_out`` counts the others.
    """
    for model in (before, after):
        require_model(model)
    rows = shared_rows(before, after, data)
    measured = _measure(before, after, rows) if rows.features is not None else {}
    classes = [list(model.classes or ()) for model in (before, after)]
    return Comparison(
        name=after.spec.name,
        before=before.version,
        after=after.version,
        schema=schema_changes(before.spec, after.spec),
        data={side: _facts(model) for side, model in (("before", before), ("after", after))},
        lost_classes=[label for label in classes[0] if label not in classes[1]],
        gained_classes=[label for label in classes[1] if label not in classes[0]],
        fast_forms=(_missing_form(before), _missing_form(after)),
        rows=len(rows),
        left_out=rows.left_out,
        reason=rows.reason,
        metrics=measured.get("metrics", {}),
        former=measured.get("former"),
        right=measured.get("right"),
        changes=measured.get("changes", _no_changes()),
    )


def _facts(model: Model) -> dict[str, Any]:
    return {key: model.data.get(key) for key in ("rows", "training_rows", "digest")}


def _missing_form(model: Model) -> str:
    form, sentence = model.fast_form
    return "" if form is not None else sentence


def _no_changes() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


def _measure(before: Model, after: Model, rows: SharedRows) -> dict[str, Any]:
    """Return the metrics of both models on rows, and the rows whose answers change."""
    import numpy as np

    y_true, seed = np.asarray(rows.y_true), after.spec.random_state
    old, new = (model.predict_frame(frame) for model, frame in zip((before, after), rows.features or (), strict=True))
    former = rows.is_former if rows.is_former is not None and rows.is_former.sum() >= FEWEST else None
    if after.classes is None:
        sizes = np.abs(new - old)
        differs = sizes > 1e-9 * np.maximum(np.abs(old), np.abs(new))
        return {
            "metrics": {"mean_absolute_error": errors(y_true, old, new, seed)},
            "former": None if former is None else errors(y_true[former], old[former], new[former], seed),
            "changes": _changes(rows, old, new, new - old, differs),
        }
    metrics = accuracies(y_true, old, new, seed)
    if before.evaluation.is_unbalanced:
        metrics = dict(reversed(metrics.items()))
    was_right, is_right = old == y_true, new == y_true
    only = int((was_right & ~is_right).sum()), int((is_right & ~was_right).sum())
    on_former = {} if former is None else accuracies(y_true[former], old[former], new[former], seed)
    return {
        "metrics": metrics,
        "former": on_former.get(next(iter(metrics))),
        "right": (*only, mcnemar(*only)),
        "changes": _changes(rows, old, new, _probability_changes(before, after, rows), old != new),
    }


def _probability_changes(before: Model, after: Model, rows: SharedRows) -> np.ndarray:
    """Return the largest change of a probability in each row, of classes that either has; 1 without probabilities."""
    import numpy as np

    if not (before.has_probabilities and after.has_probabilities):
        return np.ones(len(rows))
    labels = list(dict.fromkeys([*(before.classes or ()), *(after.classes or ())]))
    shares = []
    for model, frame in zip((before, after), rows.features or (), strict=True):
        proba = np.zeros((len(rows), len(labels)))
        proba[:, [labels.index(label) for label in model.classes or ()]] = model.estimator.predict_proba(frame)
        shares.append(proba)
    return np.abs(shares[1] - shares[0]).max(axis=1)  # type: ignore[no-any-return]


def _changes(
    rows: SharedRows, old: np.ndarray, new: np.ndarray, sizes: np.ndarray, differs: np.ndarray
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    positions = np.flatnonzero(differs)
    positions = positions[np.argsort(-np.abs(sizes[positions]), kind="stable")]
    features = (rows.features or (pd.DataFrame(), pd.DataFrame()))[1]
    answers = {"true value": rows.y_true, "before": old, "after": new, "change": sizes}
    taken = set(map(str, features.columns))
    columns = {f"{name}_" if name in taken else name: np.asarray(column) for name, column in answers.items()}
    table = pd.DataFrame({name: column[positions] for name, column in columns.items()})
    return pd.concat([features.iloc[positions].reset_index(drop=True), table], axis=1)
