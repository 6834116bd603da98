"""``irislib check``: check a model before an end user does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from irislib._common import borrowed, paths
from irislib._common.formatting import closest_texts, short_repr, shorten_list
from irislib._common.messages.store import TEXTS
from irislib._description.spec import ModelSpec
from irislib._description.translation import superfluous_texts, untranslated_texts
from irislib._forkserver.client import LEFT_OUT, ForkServer
from irislib._forkserver.template_process import LostTemplateError, can_fork
from irislib._modeling import registry, store
from irislib._modeling.estimator_file import read_back
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.many_rows import predict_many
from irislib._modeling.model import Model
from irislib._modeling.prediction import Prediction
from irislib._modeling.references import list_modules, list_references
from irislib._modeling.staleness import describe_changes
from irislib._modeling.training import train
from irislib._modeling.user_errors import explain
from irislib.errors import NotApplicableError, StoreError, ValidationError

__all__ = ["check_imports", "check_model"]


def check_model(references: Sequence[str] | None = None) -> Iterator[tuple[bool, str]]:
    """Check the models, and yield for each thing whether it is in order, with a sentence.

    Parameters
    ----------
    references : sequence of str, optional
        Of the models; those of ``$IRISLIB_MODEL``, else the example, if left out.
    """
    for row in borrowed.find_missing():
        yield row.kind == "saves", borrowed.report_missing(row)
    modules = list_modules(references)
    yield from check_imports(["pandas", "sklearn.ensemble", "irislib.widgets", *modules])
    for reference in list_references() if references is None else references:
        try:
            spec = registry.resolve(reference)
        except Exception as error:  # the user's own module may raise anything
            yield False, f"{reference}: {explain(error)}"
            continue
        yield True, f"{reference} describes {spec.name!r}: {len(spec.features)} features, target {spec.target!r}"
        yield from _check_fitted(spec) if isinstance(spec, FittedSpec) else _check_spec(spec, reference)


def check_imports(modules: Sequence[str], folder: str | None = None) -> Iterator[tuple[bool, str]]:
    """Yield a sentence for each module that a template process cannot import, so that pages with it open slowly.

    Parameters
    ----------
    modules : sequence of str
    folder : str, optional
        Where the process runs, and from which it imports, too.
    """
    fork_server = ForkServer(modules)
    if not can_fork():
        return
    try:
        importable = [os.getcwd(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        fork_server.start({**os.environ, "PYTHONPATH": os.pathsep.join(importable)}, folder)
    except LostTemplateError:  # for the same reason for which it cannot be imported here
        return
    finally:
        fork_server.end()
    for module, reason in fork_server.left_out.items():
        yield True, LEFT_OUT % (module, reason)


def _check_fitted(spec: FittedSpec) -> Iterator[tuple[bool, str]]:
    model = registry.load(spec)
    if not model.is_evaluated:
        yield True, "it was fitted elsewhere, and came without rows to evaluate it on"
        yield from _check_answers(model)
        return
    yield True, f"it was fitted elsewhere, and evaluated on {len(model.evaluation.y_true):,} rows that came with it"
    yield from _check_answers(model)


def _check_spec(spec: ModelSpec, reference: str) -> Iterator[tuple[bool, str]]:
    try:
        model = train(spec)
    except Exception as error:  # the user's own load_data and estimator may raise anything
        yield False, f"training failed: {explain(error, spec)}"
        return
    yield True, f"its data fit: {model.data['rows']:,} rows, {model.data['training_rows']:,} of them trained on"
    yield _check_again(model, train(spec))
    yield _check_store(model)
    yield from _check_answers(model)
    yield _check_stored(model, reference)


def _check_again(model: Model, again: Model) -> tuple[bool, str]:
    """Compare two models that were trained from one description."""
    import numpy as np

    if again.version != model.version:
        return False, "load_data returns other data each time it is called"
    first, second = model.evaluation, again.evaluation
    equal = partial(np.allclose, equal_nan=True)
    same = (equal if first.y_pred.dtype.kind == "f" else np.array_equal)(first.y_pred, second.y_pred)
    if same and (first.y_proba is None or second.y_proba is None or equal(first.y_proba, second.y_proba)):
        return True, "training is reproducible"
    return False, "the same data give another model each time: set the random_state of each part of the estimator"


def _check_answers(model: Model) -> Iterator[tuple[bool, str]]:
    spec = model.spec
    yield _attempt(spec, "its fast form", lambda: model.fast_form[1])
    for name, row in spec.examples.items():
        yield _attempt(spec, f"example {name!r}", _predict_row, model, row)
    yield from _check_outputs(model)
    page = paths.notebooks_dir() / f"{spec.name}.ipynb"
    yield True, f"its page is {page.name if page.exists() else 'made for it'}, at /{spec.name}"
    for language in spec.translations:
        yield from _check_translation(spec, language)


def _check_translation(spec: ModelSpec, language: str) -> Iterator[tuple[bool, str]]:
    missing = untranslated_texts(spec, language)
    for text in superfluous_texts(spec, language):
        similar = closest_texts(text, missing)
        hint = f" Did you mean {short_repr(similar[0])}?" if similar else ""
        yield False, f"translations: {short_repr(text)} is no text of the description.{hint}"
    if missing:
        yield True, f"it has no translation to {language!r} of {shorten_list(list(map(short_repr, missing)))}"


def _check_outputs(model: Model) -> Iterator[tuple[bool, str]]:
    """Make each thing that comes of a model once."""
    from irislib import insights
    from irislib._model_card.card import card, card_html
    from irislib.api._openapi.document import document

    spec, rows = model.spec, model.evaluation.trial_rows.head(2)
    yield _attempt(spec, "a held-out row" if model.is_evaluated else "a made-up row", _predict_row, model, rows.head(1))
    yield _attempt(spec, "a batch of two rows", _predict_batch, model, rows)
    yield _attempt(spec, "its card", lambda: f"{len(card(model)):,} characters, {len(card_html(model)):,} as HTML")
    yield _attempt(spec, "its endpoint", lambda: f"{len(document([model])['paths'])} paths in the OpenAPI document")
    yield _attempt(spec, "its app", _use_app, model, rows.head(1))
    try:
        prediction = model.predict_row(rows.head(1))
    except Exception:  # reported above
        return
    for title, functions in (spec.tabs or insights.default_tabs(model)).items():
        for function in functions:
            name = getattr(function, "__name__", repr(function))
            yield _attempt(spec, f"{name} in the tab {title!r}", _make_insight, function, model, prediction)


def _predict_row(model: Model, row: Any) -> str:
    return model.predict_row(row).answer


def _predict_batch(model: Model, rows: Any) -> str:
    batch = predict_many(model, (model.spec.validate(rows), []), {})
    if batch.problems:
        raise ValidationError([problem for problems in batch.problems.values() for problem in problems])
    return ", ".join(map(str, batch.columns[0]))


def _use_app(model: Model, row: Any) -> str:
    from irislib.widgets import app

    page = app(model)
    page.tabs[0].draw(model.predict_row(row))
    return f"{len(page.tabs)} tabs"


def _make_insight(function: Any, model: Model, prediction: Prediction) -> str:
    """Make an insight and its chart; one of irislib's own that takes long is made when someone asks for it."""
    from irislib.insights import Insight
    from irislib.insights._long_running import LongRunning
    from irislib.insights._registry import needs_row

    try:
        if isinstance(function, LongRunning) and function.__module__.startswith("irislib."):
            function.stored(model)  # raises NotApplicableError if it can never be measured
            return "measured when someone asks for it"
        insight = function(model, prediction) if needs_row(function) else function(model)
        if isinstance(insight, Insight):
            insight.plot()
    except NotApplicableError as error:
        return str(error)  # as in its tab
    return "can be made"


def _attempt(spec: ModelSpec, subject: str, make: Callable[..., str], *args: Any) -> tuple[bool, str]:
    """Return whether something can be made, with a sentence."""
    try:
        return True, f"{subject}: {make(*args)}"
    except Exception as error:  # the user's own code and estimator may raise anything
        return False, f"{subject}: {explain(error, spec)}"


def _check_store(model: Model) -> tuple[bool, str]:
    rows = model.evaluation.features.head(store.COMPARED_ROWS)
    try:
        size = len(read_back(model.estimator, rows, store.trusted_modules(model.spec)))
    except StoreError as error:
        return False, f"it is trained again whenever a server starts: {error}"
    return True, f"can be kept: {size / 1e6:.1f} MB, read back with the same predictions"


def _check_stored(model: Model, reference: str) -> tuple[bool, str]:
    """Check that the stored version still belongs to the description, the code and the data."""
    try:
        stored = store.compare(model, store.default_root())
    except StoreError as error:
        return False, str(error)
    if stored is None:
        return True, TEXTS["check.none"]
    version, trained_at, changes = stored
    text = TEXTS["check.stale" if changes else "check.current"]
    changed = describe_changes(changes)
    return not changes, text.format(version=version, trained_at=trained_at, changes=changed, reference=reference)
