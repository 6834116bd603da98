"""``irislib check``: check a model before an end user does."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence

from irislib._common import borrowed, paths
from irislib._common.messages.store import TEXTS
from irislib._description.spec import ModelSpec
from irislib._modeling import registry, store
from irislib._modeling.estimator_file import read_back
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model import Model
from irislib._modeling.staleness import describe_changes
from irislib._modeling.training import train
from irislib.errors import IrislibError, StoreError

__all__ = ["check_model"]


def check_model(references: Sequence[str] | None = None) -> Iterator[tuple[bool, str]]:
    """Check the models, and yield for each thing whether it is in order, with a sentence."""
    for row in borrowed.find_missing():
        yield row.kind == "saves", borrowed.report_missing(row)
    for reference in references or registry.references():
        try:
            spec = registry.resolve(reference)
        except IrislibError as error:
            yield False, f"{reference}: {error}"
            continue
        except Exception as error:  # an error in the user's own module
            last = traceback.extract_tb(error.__traceback__)[-1]
            yield False, f"{reference}: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
            continue
        yield True, f"{reference} describes {spec.name!r}: {len(spec.features)} features, target {spec.target!r}"
        yield from _check_fitted(spec) if isinstance(spec, FittedSpec) else _check_spec(spec, reference)


def _check_fitted(spec: FittedSpec) -> Iterator[tuple[bool, str]]:
    model = registry.load(spec)
    yield True, f"it was fitted elsewhere, and evaluated on {len(model.evaluation.y_true)} rows that came with it"
    yield from _check_answers(model)


def _check_spec(spec: ModelSpec, reference: str) -> Iterator[tuple[bool, str]]:
    try:
        model = train(spec)
    except Exception as error:  # the user's own load_data and estimator may raise anything
        yield False, f"training failed: {type(error).__name__}: {error}"
        return
    yield True, f"its data fit: {model.data['rows']} rows, {model.data['training_rows']} of them trained on"
    same = train(spec).version == model.version
    yield same, "training is reproducible" if same else "load_data returns other data each time it is called"
    yield _check_store(model)
    yield from _check_answers(model)
    yield _check_stored(model, reference)


def _check_answers(model: Model) -> Iterator[tuple[bool, str]]:
    spec = model.spec
    yield True, model.fast_form[1]
    for name, row in spec.examples.items():
        yield True, f"example {name!r}: {model.predict_row(row)}"
    page = paths.notebooks_dir() / f"{spec.name}.ipynb"
    yield True, f"its page is {page.name if page.exists() else 'made for it'}, at /{spec.name}"


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
