"""A fitted estimator in a form that answers one row at once.

scikit-learn spends milliseconds on one row, nearly all of them on checks and on joblib; walking the
trees takes microseconds. The walk is plain Python on nested tuples and does what scikit-learn does,
to the bit: a value is rounded as scikit-learn rounds it and compared with a float64 threshold, the
leaves are added up in the order of the trees, and where exponentials are taken of the sum, scikit-learn
takes them. Steps of a Pipeline before the trees are done in plain Python where they are simple, else by
scikit-learn. A walk is used only where it was proved equal to scikit-learn on rows that would show a
difference: classes always to the bit, and so are the means of a forest; what gradient boosting predicts
to 1e-12, for scikit-learn's own answers to many rows differ from those to one row in the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._compiled.equivalence import assert_equivalent
from irislib._compiled.preprocessing import Transformers, as_floats, in_python
from irislib._compiled.single_row import column_converters, one_row_frame, pipeline_steps, predict_one, single_threaded
from irislib._compiled.tree_tables import NoFasterFormError, Table, tree_walk_of
from irislib._compiled.tree_walk import FastForm

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = [
    "FastForm",
    "column_converters",
    "compiled",
    "one_row_frame",
    "pipeline_steps",
    "predict_one",
    "single_threaded",
]

KINDS = ("number", "integer", "boolean")  # of features whose columns scikit-learn takes as they are


def compiled(spec: ModelSpec, estimator: Any, rows: pd.DataFrame) -> tuple[FastForm | None, str]:
    """The walk of an estimator, if there is one that was proved equal, and a sentence about it.

    Parameters
    ----------
    spec : ModelSpec
    estimator : fitted estimator
    rows : DataFrame of shape (n_rows, n_features)
        Rows as people send them, to prove it on.
    """
    try:
        with single_threaded():
            walk, tables, before = _made(spec, estimator)
            count = assert_equivalent(spec, estimator, walk, tables, rows)
    except NoFasterFormError as why:
        return None, f"scikit-learn itself answers: {why}"
    trees = _counted(len(walk.trees.roots), "tree")
    return walk, f"one row is answered by {before}walking {trees}, proved equal on {count:,} rows."


def _made(spec: ModelSpec, estimator: Any) -> tuple[FastForm, list[Table], str]:
    """The walk, its trees as tables, and what comes before the trees in words."""
    before, last = pipeline_steps(estimator)
    odd = [feature.name for feature in spec.features if feature.kind not in KINDS]
    simple = None if odd else in_python(before)
    may_be_missing = simple is None or not all(feature.required for feature in spec.features)
    trees, tables = tree_walk_of(last, may_be_missing)
    count = _counted(len(before), "step")
    if not before:
        if odd:
            raise NoFasterFormError(f"{', '.join(odd)} cannot be compared with thresholds.")
        return FastForm([], trees), tables, ""
    if simple is None:
        words = f"{count} of scikit-learn's own and by "
        return FastForm([Transformers(spec.features, before)], trees), tables, words
    return FastForm([as_floats, *simple], trees), tables, f"{count} in plain Python and by "


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
