"""The registry of the models, by name."""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from irislib._common import model_caches
from irislib._common.formatting import did_you_mean
from irislib._description.spec import ModelSpec
from irislib._modeling import data_files, store
from irislib._modeling.arguments import require_spec
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model import Model
from irislib._modeling.model_file import SUFFIX, read_model
from irislib._modeling.references import import_reference, list_references
from irislib._modeling.training import train
from irislib._modeling.user_errors import user_errors
from irislib._store.files import Root
from irislib.errors import SpecError, StoreError, UnknownModelError, without_exit

__all__ = ["is_served", "load", "load_specs", "resolve"]

log = logging.getLogger(__name__)

SESSION = "IRISLIB_STARTED_WITH"  # in a kernel's environment: the folder of its server's models
_loaded: dict[ModelSpec, Model] = {}
_resolved: dict[str, ModelSpec] = {}  # of references to files and functions, which would make another one each time
_served: dict[str, str] = {}  # the files that `load_served` has loaded, by the models' names


def load(model: str | os.PathLike[str] | ModelSpec) -> Model:
    """Return a trained model: the only way to one, for scripts, notebooks and servers alike.

    The first of these that there is: the model already loaded in this process; the one the server
    was started with; the store's current version, if it was trained from the same description; a
    newly trained one.

    Parameters
    ----------
    model : str or ModelSpec
        A model's name (``iris-wizard``), also of one in the store that no module describes, a file
        (``wine.irislib``), where to find its description
        (``package.module:spec``), or the description itself. Names are looked up among ``$IRISLIB_MODEL`` first.

    Raises
    ------
    UnknownModelError
        If there is no such model; the message lists those that there are.
    DataError
        If it has to be trained and its data do not fit its description.
    StoreError
        In a page's kernel, if its server could not store the model: each page would train it again.
    """
    spec = _find_spec(os.fspath(model)) if isinstance(model, str | os.PathLike) else model
    require_spec(spec)
    for root in _session():
        if spec not in _loaded and (reason := store.refusal(spec.name, root)):
            raise StoreError(f"{spec.title} is in its server's memory alone, which this page cannot reach. {reason}")
    return _load(spec, [*_session(), store.default_root()])


def load_stored(spec: ModelSpec) -> Model | None:
    """Return the model that is loaded, or the store's current version if it is up to date, or None."""
    return _loaded.get(spec) or _stored(spec, [store.default_root()])


def is_loaded(spec: ModelSpec) -> bool:
    """Return True if this process has the model."""
    return spec in _loaded


def use(model: Model) -> None:
    """Have :func:`load` return this model from now on, in place of any other of its name."""
    for reference, spec in list(_resolved.items()):
        if spec.name == model.spec.name and spec is not model.spec:  # of the version in the store before
            _resolved[reference] = model.spec
            _loaded.pop(spec, None)
    if _loaded.get(model.spec) is not model:
        model_caches.clear()  # which would keep the one before
    _loaded[model.spec] = model


def is_served(model: Model) -> bool:
    """Return True if this process is a page's kernel whose server has, or had, this very version of the model."""
    return any(entry.version == model.version for root in _session() for entry in store.entries(model.spec.name, root))


def load_served() -> None:
    """Load the models that the server has by now, so that the processes that are forked from this one have them.

    One that the server could not save for its pages is trained here, once for all of them. One that the server has
    replaced since the last call is loaded anew.
    """
    for root in _session():
        for name in store.names(root):
            entry = store.current_entry(name, root)
            if entry and _served.setdefault(name, entry.file) != entry.file:
                _served[name] = entry.file
                _forget(name)
    for spec in load_specs().values():
        if any(store.current(spec.name, root) or store.refusal(spec.name, root) for root in _session()):
            _ = _load(spec, [*_session(), store.default_root()]).fast_form  # made here once, with what it imports


def _forget(name: str) -> None:
    """Forget the model of this name, and its description if that came with it from the store."""
    model_caches.clear()
    for spec in [spec for spec in _loaded if spec.name == name]:
        del _loaded[spec]
    for reference in [reference for reference, spec in _resolved.items() if spec.name == name]:
        if ":" not in reference and SUFFIX not in reference:
            del _resolved[reference]


def clear(models: Iterable[str] | None = None) -> None:
    """Forget the loaded models and import their modules again, so that the next :func:`load` is up to date."""
    _loaded.clear()
    _resolved.clear()
    for name in dict.fromkeys(reference.partition(":")[0] for reference in list_references(models)):
        if name in sys.modules:
            with without_exit(), data_files.record_import(name):
                importlib.reload(sys.modules[name])


def load_specs(models: Iterable[str] | None = None) -> dict[str, ModelSpec]:
    """Import the specs that references name, by the models' names.

    Parameters
    ----------
    models : sequence of str, optional
        Their ``package.module:name``; those of ``$IRISLIB_MODEL`` if left out.

    Raises
    ------
    UnknownModelError, SpecError
        If one leads nowhere, or two models share a name.
    """
    specs: dict[str, ModelSpec] = {}
    names: dict[str, str] = {}
    for reference in dict.fromkeys(list_references(models)):
        spec = resolve(reference)
        if spec.name in specs:
            both = f"{names[spec.name]} and {reference}"
            raise SpecError("The list of models", [f"two of them are called {spec.name!r}: {both}."])
        specs[spec.name], names[spec.name] = spec, reference
    return specs


def resolve(reference: str) -> ModelSpec:
    """Return the description of a model that is in a file or that ``package.module:name`` names.

    ``:spec`` may be left out. The name may be that of a spec, of a model, or of a function that returns one of them.

    Raises
    ------
    UnknownModelError
        With what is missing and what to type. An error inside the module itself is not touched.
    StoreError
        If a file cannot be read.
    """
    path = Path(reference) if reference.endswith(SUFFIX) else None
    key = reference
    if path is not None and path.exists():
        key += f"@{path.stat().st_mtime_ns}"  # it may be written anew
    if key not in _resolved:
        with without_exit():
            value = _find(reference) if path is None else read_model(path)
        if inspect.isfunction(value):
            with user_errors():
                value = value()
        if isinstance(value, Model):
            _loaded[value.spec] = value
            value = value.spec
        if not isinstance(value, ModelSpec):
            raise UnknownModelError(f"{reference} returned a {type(value).__name__}, not a ModelSpec or a Model.")
        _resolved[key] = value
    return _resolved[key]


def reference_of(name: str) -> str:
    """Return the reference by which this process has found the description of a model; nothing if it has none."""
    return next((reference for reference, spec in _resolved.items() if spec.name == name), "")


def _find(reference: str) -> Any:
    """Return what a module has; without a colon, and if there is no module, the model of this name in the store."""
    try:
        return import_reference(reference)
    except UnknownModelError as error:
        if ":" in reference:
            raise
        if (model := _published(reference)) is not None:
            return model
        raise UnknownModelError(f"{error} {_describe_store()}") from None


def _published(name: str) -> Model | None:
    """Return the current version of a model that no module describes; of a page's kernel, its server's."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return None
    stored = (store.load(name, root) for root in [*_session(), store.default_root()])
    return next((model for model in stored if model is not None), None)


def _describe_store() -> str:
    """Return a sentence about the names in the store."""
    try:
        names = store.names(store.default_root())
    except OSError as error:
        return f"The store cannot be read: {error}"
    return f"In the store there are: {', '.join(names)}." if names else "The store is empty."


def _find_spec(name: str) -> ModelSpec:
    if ":" in name:
        return resolve(name)
    if name.endswith(SUFFIX):
        return resolve(str(Path(name).absolute()))
    specs = load_specs()
    if name in specs:
        return specs[name]
    if name in _resolved:
        return _resolved[name]
    if (model := _published(name)) is not None:
        _loaded[model.spec], _resolved[name] = model, model.spec
        return model.spec
    advice = f"One of your own: load('package.module:spec'). {_describe_store()}"
    raise UnknownModelError(f"There is no model {name!r}. {did_you_mean(name, list(specs))} {advice}")


def _load(spec: ModelSpec, roots: Iterable[Root]) -> Model:
    if spec not in _loaded:
        if (model := _stored(spec, roots)) is None:
            if isinstance(spec, FittedSpec):
                raise UnknownModelError(f"{spec.title} was fitted elsewhere; load its file, or the model itself.")
            model = train(spec)
        _loaded[spec] = model
    return _loaded[spec]


def _session() -> list[Path]:
    """The folder of the models that a server has given to this kernel; empty in any other process."""
    folder = os.environ.get(SESSION)
    return [Path(folder)] if folder else []


@without_exit()
def _stored(spec: ModelSpec, roots: Iterable[Root]) -> Model | None:
    for root in roots:
        try:
            if model := store.read(spec, root):
                return model
        except StoreError as error:
            log.warning("%s", error)
    return None
