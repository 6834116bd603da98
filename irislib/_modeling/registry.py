"""The registry of the models, by name, and of the pages that show them."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import logging
import os
import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irislib._common import model_caches
from irislib._common.formatting import did_you_mean
from irislib._common.language import LANGUAGES
from irislib._common.messages.advice import TEXTS as ADVICE
from irislib._common.routes import reserved_names
from irislib._common.settings import environment_value, split_list
from irislib._common.user_code import add_package
from irislib._description.spec import ModelSpec
from irislib._description.translation import translated
from irislib._description.values import normalized
from irislib._modeling import data_files, store
from irislib._modeling.arguments import require_spec
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model import Model
from irislib._modeling.model_file import SUFFIX, read_model
from irislib._modeling.training import train
from irislib._modeling.user_errors import user_errors
from irislib._store.files import Root
from irislib.errors import SpecError, StoreError, UnknownModelError, without_exit

__all__ = ["AppEntry", "address", "is_served", "list_apps", "load", "load_specs", "notebook_files", "resolve"]

log = logging.getLogger(__name__)

NO_SPEC = "It holds no ModelSpec and no Model."
EXAMPLE = "irislib.iris:spec"  # served unless --model names another
SESSION = "IRISLIB_STARTED_WITH"  # in a kernel's environment: the folder of its server's models
_loaded: dict[ModelSpec, Model] = {}
_resolved: dict[str, ModelSpec] = {}  # of references to files and functions, which would make another one each time
_served: dict[str, str] = {}  # the files that `load_served` has loaded, by the models' names


@dataclass(frozen=True)
class AppEntry:
    """One page of the server: a model's, a notebook's, or both in one."""

    name: str
    title: str
    spec: ModelSpec | None = None
    notebook: Path | None = None

    @property
    def titles(self) -> dict[str, str]:
        """The title by language."""
        spec = self.spec
        return {language: translated(spec, language).title if spec else self.title for language in LANGUAGES}


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
    for name in dict.fromkeys(reference.partition(":")[0] for reference in references(models)):
        if name in sys.modules:
            with without_exit(), data_files.record_import(name):
                importlib.reload(sys.modules[name])


def references(models: Iterable[str] | None = None) -> list[str]:
    """Return the reference of every model: these, else those of ``$IRISLIB_MODEL``, else the example."""
    listed = []
    for model in models or ():
        listed += [model] if model.endswith(SUFFIX) else split_list(model)
    return [
        str(Path(reference).absolute()) if reference.endswith(SUFFIX) else reference
        for reference in listed or environment_value("model") or [EXAMPLE]
    ]


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
    for reference in dict.fromkeys(references(models)):
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
        return _import(reference)
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


def _import(reference: str) -> Any:
    path, _, name = reference.partition(":")
    name = name or "spec"
    if not re.fullmatch(r"[\w./]+", path):
        raise UnknownModelError(f"{reference!r} names no model. Give it as --model package.module:name.")
    if path.endswith(".py") or "/" in path:
        module_name = path.removesuffix(".py").strip("./").replace("/", ".")
        raise UnknownModelError(f"{path!r} is a file; give its module instead: --model {module_name}:{name}")
    add_package(path)
    try:
        with user_errors(), data_files.record_import(path):
            module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not (path == error.name or path.startswith(f"{error.name}.")):
            raise
        raise UnknownModelError(
            f"There is no module {error.name!r} here. Give a model as --model package.module:name "
            "and start irislib in the folder that holds the package."
        ) from None
    names = [key for key, value in vars(module).items() if isinstance(value, ModelSpec | Model)]
    if not hasattr(module, name):
        hint = did_you_mean(name, names) if names else NO_SPEC
        raise UnknownModelError(f"The module {path!r} has no {name!r}. {hint}")
    value = getattr(module, name)
    if not (isinstance(value, ModelSpec | Model) or inspect.isfunction(value)):
        hint = did_you_mean(name, names) if names else NO_SPEC
        if hasattr(value, "get_params"):
            hint = ADVICE["spec.estimator"].format(type=type(value).__name__)
        raise UnknownModelError(f"{path}:{name} is a {type(value).__name__}, not a ModelSpec or a Model. {hint}")
    return value


def modules(models: Iterable[str] | None = None) -> list[str]:
    """Return the modules of the references; a file and a name in the store have none."""
    return [
        reference.partition(":")[0]
        for reference in references(models)
        if not reference.endswith(SUFFIX) and (":" in reference or _is_module(reference))
    ]


def is_published(reference: str) -> bool:
    """Return True for the name of a model in the store that no module describes."""
    return not (reference.endswith(SUFFIX) or ":" in reference or _is_module(reference))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:  # its parent package is what is broken
        return True


def source_files(models: Iterable[str] | None = None) -> list[Path]:
    """The files that describe the models; also of one that cannot be imported as it stands."""
    files = []
    for reference in references(models):
        if reference.endswith(SUFFIX):
            files.append(Path(reference))
            continue
        try:
            module = importlib.util.find_spec(reference.partition(":")[0])
        except Exception:  # noqa: S112 - its parent package is what is broken, and logged by whoever imports it
            continue
        if module and module.origin:
            files.append(Path(module.origin))
    return files


def list_apps(models: dict[str, ModelSpec], notebooks: Path, every: bool = True) -> list[AppEntry]:
    """The pages to serve: one for each model, and one for each other notebook.

    Parameters
    ----------
    models : dict of str to ModelSpec
        By their names.
    notebooks : Path
        A folder of notebooks, or one notebook.
    every : bool
        When False, notebooks that belong to none of the models are left out.
    """
    files = {path.stem: path for path in notebook_files(notebooks)}
    apps = [AppEntry(name, spec.title, spec, files.get(name)) for name, spec in models.items()]
    others = [stem for stem in files if stem not in models] if every else []
    names: dict[str, str] = {}
    for stem in sorted(others, key=lambda stem: stem != address(stem)):  # a file called as its address keeps it
        names[stem] = address(stem, {*models, *reserved_names(), *names.values()})
    for stem in others:
        title = stem.replace("-", " ").replace("_", " ")
        apps.append(AppEntry(names[stem], title[:1].upper() + title[1:], None, files[stem]))
    return apps


def notebook_files(notebooks: Path) -> list[Path]:
    """Return the notebooks of a folder, without hidden files such as ``._a.ipynb``, or the one notebook."""
    if notebooks.is_file():
        return [notebooks]
    return sorted(path for path in notebooks.glob("*.ipynb") if not path.name.startswith("."))


def address(stem: str, taken: Collection[str] = ()) -> str:
    """Return the address of a notebook, with the letters of its name, and with a number if that is taken."""
    name = re.sub(r"[^\w.-]+", "-", normalized(stem)).strip("-") or "notebook"
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


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
