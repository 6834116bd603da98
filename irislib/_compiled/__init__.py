"""Fast forms: a fitted estimator in a form that predicts one row at once.

scikit-learn spends milliseconds on one row, nearly all of them on checks and on joblib; a walk over the trees,
or a weighted sum, takes microseconds in plain Python. A fast form is used only if it was proved equal to
scikit-learn on rows that would show a difference: classes always to the bit, numbers to the form's own tolerance.
Otherwise scikit-learn itself predicts.

A fast form is made of parts that compose, one for each transformer and each estimator: ``parts.py`` has their tables
and how to add one. The proof in ``equivalence.py`` is the same for whatever is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from irislib._compiled.composed import compose, compose_after_steps
from irislib._compiled.equivalence import assert_equivalent, predicts_likeliest, values_of_rows
from irislib._compiled.fast_form import Candidate, FastForm, NoFasterFormError, Outcome
from irislib._compiled.leaf_order import predict_many_rows
from irislib._compiled.single_row import column_converters, one_row_frame, pipeline_steps, predict_one, single_threaded

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = [
    "MAKERS",
    "FastForm",
    "Outcome",
    "column_converters",
    "compiled",
    "one_row_frame",
    "pipeline_steps",
    "predict_many_rows",
    "predict_one",
    "predicts_likeliest",
    "single_threaded",
    "values_of_rows",
]

# The first whose form is proved is used; if none is, the reason of the last one that has any is reported.
MAKERS: list[Callable[[ModelSpec, Any], Candidate]] = [compose, compose_after_steps]


def compiled(spec: ModelSpec, estimator: Any, rows: pd.DataFrame) -> tuple[FastForm | None, str]:
    """Return the fast form of an estimator, or None, and a sentence about it.

    Parameters
    ----------
    spec : ModelSpec
    estimator : fitted estimator
    rows : DataFrame of shape (n_rows, n_features)
        Test rows, to prove it on.
    """
    reason = ""
    for make in MAKERS:
        try:
            with single_threaded():
                candidate = make(spec, estimator)
                count = assert_equivalent(spec, estimator, candidate, rows)
            return candidate.form, f"one row is answered by {candidate.text}, proved equal on {count:,} rows."
        except NoFasterFormError as error:
            reason = str(error) or reason
    return None, f"scikit-learn itself answers: {reason}"
