"""Digests of what a trained model depends on, by name: by these a stored model is compared with its description."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from irislib._description.code_digest import digest_code, is_own_module
from irislib._description.feature import Feature

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = [
    "description_digests",
    "estimator_code",
    "estimator_digests",
    "estimator_parts",
    "library_versions",
    "loading_code",
    "package_of",
]

# Of a feature: they change no prediction
TEXTS_ONLY = ("label", "help", "step", "control", "default", "group", "logged")
SPEED_ONLY = ("n_jobs", "verbose")  # of an estimator
UNCOMPARED = {"irislib", "numpy", "pandas", "scipy", *sys.stdlib_module_names}  # their versions do not count
DISTRIBUTIONS = {"sklearn": "scikit-learn"}
DEPTH = 6  # of the attributes of an object without a repr of its own


def description_digests(spec: ModelSpec) -> dict[str, str]:
    """Return digests of what a description states about data and training, by name; texts for people are left out."""
    facts: dict[str, Any] = {name: getattr(spec, name) for name in ("target", "test_size", "random_state")}
    facts["classes"] = [*spec.classes.items()]
    if spec.threshold is not None:
        facts["threshold"] = (spec.threshold, spec.positive_class)
    facts["order of the features"] = spec.feature_names
    for feature in spec.features:
        facts[f"feature {feature.name}"] = {
            part.name: getattr(feature, part.name) for part in fields(Feature) if part.name not in TEXTS_ONLY
        }
    return {name: _digest(value) for name, value in facts.items()}


def estimator_digests(estimator: Any) -> dict[str, str]:
    """Return digests of the type and the parameters of an estimator, by name."""
    parameters = estimator.get_params(deep=True)
    digests = {f"estimator's {n}": _digest(v) for n, v in parameters.items() if n.split("__")[-1] not in SPEED_ONLY}
    return {"estimator": _digest(type(estimator)), **digests}


def estimator_parts(estimator: Any) -> list[Any]:
    """Return an estimator and the values of all its parameters, those of its parts included."""
    return [estimator, *estimator.get_params(deep=True).values()]


def package_of(value: Any) -> str:
    """Return the top-level package of a function, a class or an object."""
    return str(getattr(value, "__module__", None) or type(value).__module__).partition(".")[0]


def estimator_code(spec: ModelSpec) -> dict[str, str]:
    """Return digests of the user's own functions and classes in an estimator, and of what these use."""
    packages = _own_packages(spec)
    parts = estimator_parts(spec.estimator)
    own = [code for part in parts for code in _code(part) if is_own_module(code.__module__ or "", packages)]
    return digest_code(own, packages)


def loading_code(spec: ModelSpec) -> dict[str, str]:
    """Return digests of ``load_data`` and of what it uses."""
    return digest_code(_code(spec.load_data), _own_packages(spec))


def _own_packages(spec: ModelSpec) -> set[str]:
    return {package_of(spec.load_data)} - {"irislib", ""}


def library_versions(estimator: Any) -> dict[str, str]:
    """Return the versions of scikit-learn and of the other installed libraries with parts in an estimator."""
    modules = {code.__module__ or "" for part in estimator_parts(estimator) for code in _code(part)}
    packages = {name.partition(".")[0] for name in modules if not is_own_module(name)} | {"sklearn"}
    versions = ((DISTRIBUTIONS.get(name, name), _version(name)) for name in sorted(packages - UNCOMPARED))
    return {name: version for name, version in versions if version}


@functools.cache
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(DISTRIBUTIONS.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(package)
        return importlib.metadata.version(names[0]) if names else None


def _code(value: Any) -> Iterator[Any]:
    """Yield the functions and classes in a value."""
    if isinstance(value, functools.partial):
        yield from _code([value.func, value.args, value.keywords])
    elif isinstance(value, Mapping):
        yield from _code(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _code(part)
    elif inspect.ismethod(value):
        yield from _code(value.__self__)
    elif isinstance(getattr(value, "__qualname__", None), str) and hasattr(value, "__module__"):
        yield value
    else:
        yield type(value)


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()[:16]


def _text(value: Any, depth: int = DEPTH) -> str:
    """Return text that is equal for equal values in every process, and shortened for none."""
    if isinstance(value, functools.partial):
        value = {"partial": value.func, "args": value.args, "keywords": value.keywords}
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_text(k, depth)}: {_text(v, depth)}' for k, v in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(_text(part, depth) for part in value)})"
    if isinstance(value, set | frozenset):
        return f"set({', '.join(sorted(_text(part, depth) for part in value))})"
    if isinstance(getattr(value, "__qualname__", None), str):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    if hasattr(value, "get_params") and hasattr(value, "fit"):
        return f"{type(value).__module__}.{type(value).__qualname__}"  # its parameters are listed by themselves
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return f"{value.dtype} {_text(value.tolist(), depth)}"
    text = repr(value)
    if " at 0x" in text and depth and hasattr(value, "__dict__"):
        return f"{type(value).__qualname__}({_text(vars(value), depth - 1)})"
    return re.sub(r" at 0x[0-9a-f]+", "", text)
