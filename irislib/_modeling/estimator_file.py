"""A fitted estimator as bytes that can be read back, without pickle.

The bytes are a skops file, packed if all of its parts can be. Boosters (XGBoost, LightGBM, CatBoost) put their own
format into it, as part of their state.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from irislib._common.locks import PARSING
from irislib._modeling.packed_file import is_packed, unpack
from irislib._modeling.packing import pack
from irislib._modeling.trusted_types import audit, is_of_library
from irislib.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Distribution", "dump_estimator", "load_estimator", "read_back"]

METHODS = ("predict", "predict_proba", "decision_function")
TOLERANCE = 1e-12  # relative: a product of the same numbers depends on how they lie in memory


class Distribution:
    """A distribution of ``scipy.stats`` with its parameters, for a search; scipy's own cannot be kept safely."""

    def __init__(self, name: str, args: tuple[Any, ...], kwds: dict[str, Any]):
        self.name, self.args, self.kwds = name, args, kwds

    def __repr__(self) -> str:
        values = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwds.items())]
        return f"{self.name}({', '.join(values)})"

    def rvs(self, *args: Any, **options: Any) -> Any:
        """Draw from the distribution, as ``scipy.stats`` does."""
        import scipy.stats

        distribution = getattr(scipy.stats, self.name)
        if not isinstance(distribution, scipy.stats.rv_continuous | scipy.stats.rv_discrete):
            raise TypeError(f"{self.name} is no distribution.")
        return distribution(*self.args, **self.kwds).rvs(*args, **options)


def dump_estimator(estimator: Any) -> bytes:
    """Return a fitted estimator as bytes.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    bytes
        For :func:`load_estimator`.

    Raises
    ------
    StoreError
        If it has a part that cannot be kept safely; it says which, and what to do.
    """
    import skops.io

    try:
        content: bytes = skops.io.dumps(_without_distributions(estimator))
        refused = audit(content, modules=None)[1]
        if not refused:
            return pack(content) or content
    except Exception as error:  # savers raise many kinds
        raise StoreError(f"A {type(estimator).__name__} cannot be kept: {_reason(error)}") from error
    raise StoreError(f"A {type(estimator).__name__} cannot be kept: {_advice(refused[0])}")


def load_estimator(content: bytes, modules: Collection[str] = ()) -> Any:
    """Return the estimator of a file, once everything in it is found harmless.

    Parameters
    ----------
    content : bytes
        Of :func:`dump_estimator`.
    modules : collection of str
        Top-level modules of the description, whose types and functions are trusted besides those of scikit-learn,
        XGBoost, LightGBM and CatBoost.

    Returns
    -------
    estimator
        Fitted.

    Raises
    ------
    StoreError
        If it is no such file, or asks for anything else.
    """
    try:
        if is_packed(content):
            estimator, refused = unpack(content, modules)
        else:
            estimator, refused = _load_skops(content, modules)
        if not refused:
            return estimator
    except ModuleNotFoundError as error:
        raise StoreError(f"The estimator needs {error.name}, which is not installed here.") from error
    except Exception as error:  # skops raises many kinds for a file it cannot read
        raise StoreError(f"The file of the estimator cannot be read: {_reason(error)}") from error
    raise StoreError(f"The file of the estimator asks for what is not loaded: {', '.join(refused[:5])}.")


def _load_skops(content: bytes, modules: Collection[str]) -> tuple[Any, list[str]]:
    """Return the estimator of a skops file, and the names in it that are not trusted, for which nothing is made."""
    import skops.io  # here, for it imports all of scikit-learn

    trusted, refused = audit(content, modules)
    if refused:
        return None, refused
    with PARSING:
        return skops.io.loads(content, trusted=sorted(trusted)), []


def read_back(estimator: Any, rows: pd.DataFrame, modules: Collection[str] = ()) -> bytes:
    """Return a fitted estimator as bytes, once they are read back and predict the same.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    rows : DataFrame
        As the estimator takes them.
    modules : collection of str
        As in :func:`load_estimator`.

    Returns
    -------
    bytes
        For :func:`load_estimator`.

    Raises
    ------
    StoreError
        If it cannot be kept or read back, or then predicts otherwise.
    """
    content = dump_estimator(estimator)
    loaded = load_estimator(content, modules)
    for method in METHODS:
        if not hasattr(estimator, method):
            continue
        expected = getattr(estimator, method)(rows)
        try:
            same = _are_equal(expected, getattr(loaded, method)(rows))
        except Exception as error:
            raise StoreError(f"A {type(estimator).__name__} cannot be kept: {_reason(error)}") from error
        if not same:
            raise StoreError(f"A {type(estimator).__name__} cannot be kept: once read back, {method} differs.")
    return content


def _are_equal(expected: Any, actual: Any) -> bool:
    import numpy as np

    if isinstance(expected, list):  # a method of several outputs
        return len(expected) == len(actual) and all(map(_are_equal, expected, actual))
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.dtype != actual.dtype or expected.shape != actual.shape:
        return False
    if expected.dtype.kind == "f":
        return np.allclose(actual, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return np.array_equal(expected, actual)


def _without_distributions(estimator: Any) -> Any:
    """Return the estimator, or a copy of it in which :class:`Distribution` stands for scipy's own."""
    from scipy.stats._distn_infrastructure import rv_frozen

    def find(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [distributions for part in value.values() for distributions in find(part)]
        if isinstance(value, list | tuple):
            return [distributions for part in value for distributions in find(part)]
        return [value] if isinstance(value, rv_frozen) else []

    frozen = find(estimator.get_params(deep=True)) if hasattr(estimator, "get_params") else []
    if not frozen:
        return estimator
    return copy.deepcopy(estimator, {id(one): Distribution(one.dist.name, one.args, one.kwds) for one in frozen})


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it refers to itself, or is nested too deeply."
    text = re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    return text if text.endswith(".") else f"{text}."


def _advice(name: str) -> str:
    if name.endswith(".<lambda>"):
        return "it holds a lambda, which has no name to read it back by. Write a function with def in a module instead."
    if is_of_library(name):
        return f"it holds {name}, which cannot be read back safely. Use a function or class of your own module instead."
    return (
        f"{name.removeprefix('__main__.')} is defined in a notebook, a script or inside another function. "
        "Define it at the top of a module (a .py file) and import it from there."
    )
