"""``irislib check``: is all in order, before an end user finds out that it is not?"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence

from irislib._common import paths
from irislib._description.spec import ModelSpec
from irislib._modeling import registry, store
from irislib._modeling.training import train
from irislib.errors import IrislibError, StoreError

__all__ = ["check_model"]


def check_model(references: Sequence[str] | None = None) -> Iterator[tuple[bool, str]]:
    """Whether each thing is in order, and a sentence on it."""
    for reference in references or registry.references():
        try:
            spec = registry.resolve(reference)
        except IrislibError as error:
            yield False, f"{reference}: {error}"
            continue
        except Exception as error:  # a slip in her own module
            last = traceback.extract_tb(error.__traceback__)[-1]
            yield False, f"{reference}: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
            continue
        yield True, f"{reference} describes {spec.name!r}: {len(spec.features)} features, target {spec.target!r}"
        yield from _model(spec)


def _model(spec: ModelSpec) -> Iterator[tuple[bool, str]]:
    try:
        model = train(spec)
    except Exception as error:  # her own load_data and estimator may raise anything
        yield False, f"training failed: {type(error).__name__}: {error}"
        return
    yield True, f"its data fit: {model.data['rows']} rows, {model.data['training_rows']} of them trained on"
    again = train(spec).version == model.version
    yield again, "training is reproducible" if again else "load_data returns other data each time it is called"
    yield True, model.fast_form[1]
    for name, row in spec.examples.items():
        yield True, f"example {name!r}: {model.predict_row(row)}"
    try:
        stored = store.read(spec, store.default_root())
        kept = f"version {stored.version} of {stored.trained_at}" if stored else "none; `irislib train` keeps one"
        yield True, f"stored: {kept}"
    except StoreError as error:
        yield False, str(error)
    page = paths.notebooks_dir() / f"{spec.name}.ipynb"
    yield True, f"its page is {page.name if page.exists() else 'made for it'}, at /{spec.name}"
