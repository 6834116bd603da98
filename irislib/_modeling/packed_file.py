"""A skops file in a form that is read many times as fast: each node once, and all arrays of a type in one piece.

skops writes a part of the zip file for each array, and a node for each setting of each tree; and it imports all of
scikit-learn before it reads anything. The packed file is a zip file, too: ``nodes.json`` has the nodes, each after
those that it consists of, and ``arrays-0.npy`` and so on have the numbers. It holds nothing that the skops file does
not, and its names are checked in the same way before anything is made.
"""

from __future__ import annotations

import functools
import importlib
import io
import json
import math
from collections.abc import Callable, Collection
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from irislib._common.locks import PARSING
from irislib._modeling.trusted_types import audit_nodes

__all__ = ["ARRAYS", "FORMAT", "NODES", "is_packed", "unpack"]

FORMAT = 1
NODES, ARRAYS = "nodes.json", "arrays-{}.npy"


def is_packed(content: bytes) -> bool:
    """Return True for a packed file, and False for one of skops, or what is no file of an estimator."""
    with ZipFile(io.BytesIO(content)) as archive:
        return NODES in archive.namelist()


def unpack(content: bytes, modules: Collection[str] = ()) -> tuple[Any, list[str]]:
    """Return the object of a packed file, and the names in it that are not trusted, for which nothing is made.

    Parameters
    ----------
    content : bytes
        Of :func:`irislib._modeling.packing.pack`.
    modules : collection of str
        As in :func:`irislib._modeling.trusted_types.audit`.

    Raises
    ------
    ValueError
        If it is no file that irislib writes.
    """
    with ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        expected = [NODES, *(ARRAYS.format(number) for number in range(len(names) - 1))]
        if names != expected or any(part.compress_type != ZIP_STORED for part in archive.infolist()):
            raise ValueError("it holds files that irislib does not write")
        schema = json.loads(archive.read(NODES))
        if schema["format"] != FORMAT:
            raise ValueError("it was written by another version of irislib")
        if refused := audit_nodes(_named(schema), modules)[1]:
            return None, refused
        with PARSING:
            arrays = [np.load(io.BytesIO(archive.read(name)), allow_pickle=False) for name in names[1:]]
    return _Maker(schema, arrays).make(), []


def _named(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a packed file as far as their names are checked: one of each kind, one of all keys."""

    def named(kind: Any, **parts: Any) -> dict[str, Any]:
        loader, module, name = kind
        if not all(isinstance(text, str) for text in kind):
            raise ValueError("a node has no name")
        return {"__loader__": loader, "__module__": module, "__class__": name, **parts}

    kinds = [named(kind, key_types=named(("ListNode", "builtins", "list"), content=[])) for kind in schema["kinds"]]
    keys = [
        named(("ListNode", "builtins", "list"), content=[kinds[number] for number in types])
        for _, types in schema["keys"]
        if types is not None
    ]
    return kinds + [named(("DictNode", "builtins", "dict"), key_types=types) for types in keys]


class _Maker:
    """Makes the objects of a packed file, whose names are trusted.

    Each object is made once, however many refer to it, and each number is read once: a small file fills no memory.
    """

    def __init__(self, schema: dict[str, Any], arrays: list[Any]):
        self.schema, self.arrays = schema, arrays
        self.starts = [0] * len(arrays)
        self.made: list[Any] = []

    def make(self) -> Any:
        """Return the object of the last node, which consists of all others."""
        makers = [self._maker(*kind) for kind in self.schema["kinds"]]
        for kind, *parts in self.schema["nodes"]:
            self.made.append(makers[kind](*parts))
        if any(start != len(array) for start, array in zip(self.starts, self.arrays, strict=True)):
            raise ValueError("it has more numbers than it needs")
        return self.made[-1]

    def _maker(self, loader: str, module: str, name: str) -> Callable[..., Any]:
        if loader == "JsonNode":
            return lambda value: value
        named = _import(module, name)
        if loader in ("TypeNode", "FunctionNode"):
            return lambda: named
        return functools.partial(getattr(self, f"_make_{loader.removesuffix('Node').lower()}"), named)

    def _all(self, numbers: list[int]) -> list[Any]:
        made = self.made
        return [made[number] for number in numbers]

    def _make_dict(self, kind: Any, keys: int, values: list[int]) -> Any:
        texts, types = self.schema["keys"][keys]
        if types is not None:
            kinds = [self.schema["kinds"][number] for number in types]
            texts = [_import(module, name)(text) for (_, module, name), text in zip(kinds, texts, strict=True)]
        made = kind()
        made.update(zip(texts, self._all(values), strict=True))
        return made

    def _make_list(self, kind: Any, values: list[int]) -> Any:
        return kind(self._all(values))

    _make_set = _make_list

    def _make_tuple(self, kind: Any, values: list[int]) -> Any:
        return kind(*self._all(values)) if hasattr(kind, "_fields") else tuple(self._all(values))

    def _make_object(self, kind: Any, state: int | None) -> Any:
        made = kind.__new__(kind)
        if state is not None and (values := self.made[state]) is not None:
            _set_state(made, values)
        return made

    def _make_tree(self, kind: Any, arguments: int, state: int) -> Any:
        made = kind(*self.made[arguments])
        if self.made[state]:
            _set_state(made, self.made[state])
        return made

    _make_loss = _make_tree

    def _make_slice(self, kind: Any, parts: list[Any]) -> Any:
        return kind(*parts)

    def _make_bytes(self, kind: Any, *position: Any) -> Any:
        return kind(self._array(*position).tobytes())

    _make_bytearray = _make_bytes

    def _make_ndarray(self, kind: Any, where: int, *parts: Any) -> Any:
        if len(parts) == 1:  # of objects: their dimensions, and the objects
            values = self._all(parts[0])
            if where != 1:
                return np.array(values, dtype="O")
            array = np.empty(len(values), dtype="O")
            for index, value in enumerate(values):  # each of which may be a sequence
                array[index] = value
            return array
        array = self._array(where, *parts)
        return array if kind is np.ndarray else kind(array)

    def _array(self, where: int, shape: list[int], in_columns: int) -> Any:
        start, size = self.starts[where], math.prod(shape)
        piece = self.arrays[where][start : start + size].copy()  # else a small one would keep all numbers in memory
        if min(shape, default=0) < 0 or len(piece) != size:
            raise ValueError("it has fewer numbers than it needs")
        self.starts[where] += size
        return piece.reshape(shape[::-1]).T if in_columns else piece.reshape(shape)

    def _make_randomstate(self, kind: Any, state: int) -> Any:
        made = kind()
        made.set_state(self.made[state])
        return made

    def _make_randomgenerator(self, kind: Any, bit_generator: int, seeds: int) -> Any:
        state = self.made[bit_generator]
        bits = getattr(np.random, state["bit_generator"])
        if not (isinstance(bits, type) and issubclass(bits, np.random.BitGenerator)):
            raise ValueError(f"{state['bit_generator']} is no bit generator")
        made = bits(np.random.SeedSequence(**self.made[seeds]))
        made.state = state
        return kind(made)

    def _make_defaultdict(self, kind: Any, values: int, factory: int) -> Any:
        return kind(self.made[factory], self.made[values])

    def _make_dtype(self, kind: Any, array: int) -> Any:
        return self.made[array].dtype

    def _make_maskedarray(self, kind: Any, data: int, mask: int) -> Any:
        return np.ma.MaskedArray(self.made[data], self.made[mask])

    def _make_partial(self, kind: Any, *parts: int) -> Any:
        function, arguments, keywords, namespace = self._all(list(parts))
        made = functools.partial(function, *arguments, **keywords)
        if namespace:
            made.__dict__.update(namespace)
        return made


def _set_state(made: Any, values: Any) -> None:
    if hasattr(made, "__setstate__"):
        made.__setstate__(values)
    else:
        made.__dict__.update(values)


def _import(module: str, name: str) -> Any:
    """Return a type or function; scikit-learn before 1.8 compiled its losses under another name."""
    return getattr(importlib.import_module("sklearn._loss._loss" if module == "_loss" else module), name)
