"""The fast form of an estimator, made of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._compiled.array_parts import framed_steps
from irislib._compiled.composition import Chain
from irislib._compiled.fast_form import Candidate, NoFasterFormError
from irislib._compiled.parts import Parts
from irislib._compiled.row_form import ComposedForm
from irislib._compiled.single_row import pipeline_steps
from irislib._description.dtype_limits import rounds_to

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["compose", "compose_after_steps"]


def compose(spec: ModelSpec, estimator: Any) -> Candidate:
    """Make the fast form of an estimator of parts for all that it consists of.

    Raises
    ------
    NoFasterFormError
        If one of them has no fast form and cannot be asked with an array, or would compute in another precision.
    """
    parts = _parts(spec)
    predictor = parts.predictor(estimator)
    positions = list(enumerate(spec.features))
    single = tuple(i for i, feature in positions if rounds_to(feature.dtype) == "float32")
    if single and parts.calculates:  # they round after each calculation, which few rows show
        raise NoFasterFormError("its transformers compute in the single precision of a column.")
    if any(rounds_to(feature.dtype) == "float16" for feature in spec.features):
        raise NoFasterFormError("a column has half precision.")
    form = ComposedForm(
        predictor,
        single,
        tuple(i for i, feature in positions if feature.type.dtype.startswith("datetime")),
    )
    return Candidate(form, predictor.text, predictor.tolerance, predictor.is_slow, parts.hard_cases, parts.n_trees)


def compose_after_steps(spec: ModelSpec, estimator: Any) -> Candidate:
    """Make the fast form of the last step of a Pipeline; scikit-learn itself does the steps before it, on a frame.

    Raises
    ------
    NoFasterFormError
        For any other estimator, or if the last step has no fast form.
    """
    before, last = pipeline_steps(estimator)
    if not before:
        raise NoFasterFormError
    parts = _parts(spec, may_be_missing=True)
    count = f"{len(before):,} step{'' if len(before) == 1 else 's'}"
    steps = framed_steps(list(spec.features), before)
    predictor = Chain(steps, parts.predictor(last), f"{count} of scikit-learn's own", has_slow_steps=True)
    return Candidate(
        ComposedForm(predictor), predictor.text, predictor.tolerance, True, parts.hard_cases, parts.n_trees
    )


def _parts(spec: ModelSpec, may_be_missing: bool = False) -> Parts:
    return Parts(may_be_missing or not all(feature.required for feature in spec.features))
