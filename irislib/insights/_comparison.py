"""Two rows and their answers side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import join_words, within_sentence
from irislib._common.language import column_label
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.insights import _drawing
from irislib.insights._background import as_prediction
from irislib.insights._base import Insight
from irislib.insights._phrases import format_feature, with_target_unit
from irislib.insights._shapley import contributions

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["compare_contributions", "comparison"]

MAX_NAMES = 3  # of inputs in the sentence
DIGITS = 12  # values are those that were entered
MAX_BARS = 10  # classes in the chart


@takes_model
def comparison(model: Model, row: Mapping[str, Any] | Prediction, other: Mapping[str, Any] | Prediction) -> Insight:
    """Compare two rows: their answers, their probabilities, and the inputs in which they differ.

    Parameters
    ----------
    model : Model
    row, other : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.

    Returns
    -------
    Insight
        Its frame has a row for the answer, for the probability of each class, and for each input, those that differ
        first: the ``part`` it is of (``answer``, ``probability`` or ``input``), its ``name``, what it is for the
        ``first`` and for the ``second`` row, and whether it ``differs``.

    Raises
    ------
    ValidationError
        Naming every wrong value.

    Notes
    -----
    Source: the model's own predictions of both rows.
    """
    import pandas as pd

    first, second = as_prediction(model, row), as_prediction(model, other)
    lines: list[tuple[Any, ...]] = [("answer", model.spec.target_label, first.answer, second.answer)]
    lines += [("probability", str(name), *shares) for name, *shares in _probabilities(first, second)]
    public = [feature for feature in model.spec.features if not feature.private]
    inputs: list[tuple[Any, ...]] = [
        ("input", f.label, _value(model, f, first), _value(model, f, second)) for f in public
    ]
    differing = [line for line in inputs if line[2] != line[3]]
    lines += [*differing, *(line for line in inputs if line[2] == line[3])]
    frame = pd.DataFrame(lines, columns=["part", "name", "first", "second"], dtype=object)
    frame["differs"] = [line[2] != line[3] for line in lines]
    key = "comparison.text" if differing else "comparison.text_same"
    text = TEXTS[key].format(first=first.answer, second=second.answer, names=_names([line[1] for line in differing]))
    names, values, axis = _bars(model, first, second)
    texts = TEXTS["comparison.first"], TEXTS["comparison.second"]
    draw = partial(_drawing.paired_bars, labels=names, values=values, name=axis, texts=texts)
    return Insight(TEXTS["comparison.title"], frame, text, draw, 1.2 + 0.5 * len(names))


def compare_contributions(model: Model, first: Prediction, second: Prediction) -> pd.DataFrame:
    """Return the contributions to two predictions by input, those that differ most first.

    Of a classifier, they are to the probability of the class that is predicted second.

    Raises
    ------
    NotApplicableError
        For a classifier without probabilities.
    """
    import pandas as pd

    same = dataclasses.replace(first, prediction=second.prediction) if model.classes is not None else first
    tables = [contributions(model, prediction).frame.set_index("feature") for prediction in (same, second)]
    name = tables[1].columns[2]
    both = pd.concat([table[name] for table in tables], axis=1, keys=["first", "second"])
    order = (both["first"] - both["second"]).abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order].rename_axis(index=name).reset_index()


def _value(model: Model, feature: Any, prediction: Prediction) -> str:
    return format_feature(model, feature, prediction.values.get(feature.name), DIGITS)


def _probabilities(first: Prediction, second: Prediction) -> list[tuple[Any, float, float]]:
    """Return each class with its two probabilities, the likeliest in either first."""
    before, after = first.probabilities or {}, second.probabilities or {}
    return sorted(((name, before[name], after[name]) for name in after), key=lambda item: -max(item[1:]))


def _names(labels: list[str]) -> str:
    names = [within_sentence(label) for label in labels]
    if len(names) > MAX_NAMES + 1:
        more = TEXTS["comparison.more"].format(count=len(names) - MAX_NAMES)
        names = [*names[:MAX_NAMES], more]
    return join_words(names, TEXTS["and"])


def _bars(model: Model, first: Prediction, second: Prediction) -> tuple[list[str], list[tuple[Any, Any]], str]:
    """Return the names of the chart's bars, the two values of each, and what they are."""
    if second.probabilities:
        shares = _probabilities(first, second)[:MAX_BARS]
        return [str(name) for name, *_ in shares], [(a, b) for _, a, b in shares], column_label("probability")
    if model.classes is None:
        name = with_target_unit(model, model.spec.target_label)
        return [model.spec.target_label], [(first.prediction, second.prediction)], name
    names = list(dict.fromkeys([str(first.prediction), str(second.prediction)]))
    values = [(name == str(first.prediction), name == str(second.prediction)) for name in names]
    return names, values, column_label("answer")
