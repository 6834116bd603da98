"""References to models: those that are listed, and the modules and files that they lead to."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from irislib._common.formatting import did_you_mean
from irislib._common.messages.advice import TEXTS as ADVICE
from irislib._common.settings import environment_value, split_list
from irislib._common.user_code import add_package
from irislib._description.spec import ModelSpec
from irislib._modeling import data_files
from irislib._modeling.model import Model
from irislib._modeling.model_file import SUFFIX
from irislib._modeling.user_errors import user_errors
from irislib.errors import UnknownModelError

__all__ = ["import_reference", "is_published", "list_modules", "list_references", "source_files"]

NO_SPEC = "It holds no ModelSpec and no Model."
EXAMPLE = "irislib.iris:spec"  # served unless --model names another


def list_references(models: Iterable[str] | None = None) -> list[str]:
    """Return the reference of every model: these, else those of ``$IRISLIB_MODEL``, else the example."""
    listed = []
    for model in models or ():
        listed += [model] if model.endswith(SUFFIX) else split_list(model)
    return [
        str(Path(reference).absolute()) if reference.endswith(SUFFIX) else reference
        for reference in listed or environment_value("model") or [EXAMPLE]
    ]


def list_modules(models: Iterable[str] | None = None) -> list[str]:
    """Return the modules of the references; a file and a name in the store have none."""
    return [
        reference.partition(":")[0]
        for reference in list_references(models)
        if not reference.endswith(SUFFIX) and (":" in reference or _is_module(reference))
    ]


def source_files(models: Iterable[str] | None = None) -> list[Path]:
    """The files that describe the models; also of one that cannot be imported as it stands."""
    files = []
    for reference in list_references(models):
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


def is_published(reference: str) -> bool:
    """Return True for the name of a model in the store that no module describes."""
    return not (reference.endswith(SUFFIX) or ":" in reference or _is_module(reference))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:  # its parent package is what is broken
        return True


def import_reference(reference: str) -> Any:
    """Return what ``package.module:name`` names: a spec, a model, or a function.

    Raises
    ------
    UnknownModelError
        With what is missing and what to type. An error inside the module itself is not touched.
    """
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
