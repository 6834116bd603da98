"""Calls that are sent to the workers of a cluster, and what comes back.

Tables and arrays are left out of a call, and sent once for all. The user's own code is sent with the call, so that
workers need not have it; what of it comes back is the one of this process again.
"""

from __future__ import annotations

import io
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from irislib._common.messages.scoring import TEXTS
from irislib._common.user_code import is_users
from irislib.errors import IrislibError

__all__ = ["RemoteTracebackError", "own_code", "pack_call", "result_of", "run_call", "unpack"]

TABLES = {"numpy", "pandas", "polars", "pyarrow", "scipy"}  # packages, whose objects may be large
LARGE = 10_000  # bytes: a smaller one is sent with each call


class RemoteTracebackError(Exception):
    """The traceback of an error on a worker, of which it is the cause."""


@contextmanager
def own_code() -> Iterator[frozenset[str]]:
    """Send the code of the user's own modules rather than their names; yield the names of their packages."""
    import cloudpickle

    own = {name.partition(".")[0] for name, module in [*sys.modules.items()] if _is_own(module)} & {*sys.modules}
    own.discard("__main__")  # of which code is sent anyway
    for name in own:
        cloudpickle.register_pickle_by_value(sys.modules[name])
    try:
        yield frozenset({*own, "__main__"})
    finally:
        for name in own & {*sys.modules}:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])


def _is_own(module: Any) -> bool:
    file: Any = getattr(module, "__file__", None)
    return bool(file) and is_users(file) and not module.__name__.startswith("irislib.")


def pack_call(function: Callable[[], Any], share: Callable[[Any], str]) -> tuple[bytes, set[str]]:
    """Return a call as bytes, and the names of the tables in it.

    Parameters
    ----------
    function : callable
    share : callable
        Returns the name under which a table is sent.
    """
    import cloudpickle
    from dask.sizeof import sizeof

    names = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def persistent_id(self, value: Any) -> tuple[str, str] | None:
            if type(value).__module__.partition(".")[0] not in TABLES or sizeof(value) < LARGE:
                return None
            names.add(name := share(value))
            return "table", name

    file = io.BytesIO()
    Pickler(file).dump(function)
    return file.getvalue(), names


def unpack(content: bytes) -> Any:
    """Return what was packed without leaving anything out."""
    return pickle.loads(content)  # noqa: S301 - Dask does the same with all that it sends


def run_call(content: bytes, own: frozenset[str], tables: Mapping[str, Any]) -> bytes:
    """Make a call on a worker, and return its result or its error as bytes."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, reference: tuple[str, str]) -> Any:
            return tables[reference[1]]

    try:
        try:
            function = Unpickler(io.BytesIO(content)).load()
        except ModuleNotFoundError as error:
            raise IrislibError(TEXTS["no_module"].format(name=error.name)) from None
        return _pack_result((function(), None, ""), own)
    except BaseException as error:  # a sys.exit of the user's code, too
        text = "".join(traceback.format_exception(error))
        try:
            return _pack_result((None, error, text), own)
        except Exception:  # an error of a class that cannot be sent
            return _pack_result((None, RuntimeError(f"{type(error).__name__}: {error}"), text), own)


def _pack_result(result: Any, own: frozenset[str]) -> bytes:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def persistent_id(self, value: Any) -> tuple[str, str] | None:
            if not isinstance(value, FunctionType | type) or "<" in value.__qualname__:
                return None
            is_own = (value.__module__ or "").partition(".")[0] in own
            return (value.__module__, value.__qualname__) if is_own else None

    file = io.BytesIO()
    Pickler(file).dump(result)
    return file.getvalue()


def result_of(content: bytes) -> Any:
    """Return the result of a call, or raise its error."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, reference: tuple[str, str]) -> Any:
            module, name = reference
            value: Any = sys.modules[module]
            for part in name.split("."):
                value = getattr(value, part)
            return value

    result, error, text = Unpickler(io.BytesIO(content)).load()
    if error is not None:
        raise error from RemoteTracebackError(f"\n{text}")
    return result
