"""Write the packed form of a skops file; `irislib._modeling.packed_file` describes and reads it."""

from __future__ import annotations

import functools
import io
import json
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from irislib._common.locks import PARSING
from irislib._modeling.packed_file import ARRAYS, FORMAT, NODES

__all__ = ["pack"]

TEXT = ("TypeNode", "builtins", "str")  # the type of nearly all keys
# Nodes that consist of other ones: where a skops node has these.
PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "TreeNode": (("__reduce__", "args"), ("content",)),
    "LossNode": (("__reduce__", "args"), ("content",)),
    "RandomStateNode": (("content",),),
    "RandomGeneratorNode": (("content", "bit_generator"), ("content", "seed_seq")),
    "DefaultDictNode": (("content", "main"), ("content", "default_factory")),
    "DTypeNode": (("content",),),
    "MaskedArrayNode": (("content", "data"), ("content", "mask")),
    "PartialNode": tuple(("content", name) for name in ("func", "args", "kwds", "namespace")),
}


class _CannotPackError(Exception):
    """A node that is not packed."""


def pack(content: bytes) -> bytes | None:
    """Return a skops file in its packed form; None if it has a part that is read by skops alone."""
    with ZipFile(io.BytesIO(content)) as archive:
        packer = _Packer(archive)
        try:
            packer.add(json.loads(archive.read("schema.json")))
        except _CannotPackError:
            return None
    schema = {"format": FORMAT, "kinds": [*packer.kinds], "keys": packer.keys, "nodes": packer.nodes}
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.writestr(NODES, json.dumps(schema, separators=(",", ":")))
        for number, (dtype, arrays) in enumerate(packer.arrays.items()):
            part = io.BytesIO()
            np.save(part, _joined(arrays, dtype), allow_pickle=False)
            archive.writestr(ARRAYS.format(number), part.getvalue())
    return buffer.getvalue()


def _joined(arrays: list[Any], dtype: np.dtype[Any]) -> Any:
    """Return arrays of one dimension as one; `numpy.concatenate` would change a structured type."""
    joined, start = np.empty(sum(map(len, arrays)), dtype), 0
    for array in arrays:
        joined[start : start + len(array)] = array
        start += len(array)
    return joined


class _Packer:
    """The nodes of a skops file as a list, in which each refers to those before it by their numbers."""

    def __init__(self, archive: ZipFile):
        self.archive = archive
        self.kinds: dict[tuple[str, str, str], int] = {}  # loader, module and name
        self.keys: list[list[Any]] = []  # of dictionaries: their texts, and the types of these unless all are texts
        self.nodes: list[list[Any]] = []
        self.arrays: dict[np.dtype[Any], list[Any]] = {}
        self.numbers: dict[Any, int] = {}  # of what has been added already

    def add(self, node: dict[str, Any]) -> int:
        """Add a node and what it consists of, unless they are there already, and return its number."""
        loader = node["__loader__"]
        is_constant = loader in ("TypeNode", "FunctionNode", "JsonNode")
        known = (self._kind(node), node.get("content")) if is_constant else node["__id__"]
        if known not in self.numbers:
            packed = [self._kind(node), *self._parts(loader, node)]  # which adds its parts before itself
            self.numbers[known] = len(self.nodes)
            self.nodes.append(packed)
        return self.numbers[known]

    def _kind(self, node: dict[str, Any]) -> int:
        kind = (node["__loader__"], node["__module__"], node["__class__"])
        return self.kinds.setdefault(kind, len(self.kinds))

    def _parts(self, loader: str, node: dict[str, Any]) -> list[Any]:
        if loader in ("TypeNode", "FunctionNode"):
            return []
        if loader == "JsonNode":
            return [json.loads(node["content"])]
        if loader == "DictNode":
            return [self._add_keys(node), [self.add(value) for value in node["content"].values()]]
        if loader in ("ListNode", "SetNode", "TupleNode"):
            return [[self.add(value) for value in node["content"]]]
        if loader == "ObjectNode":
            return [None if node.get("content") is None else self.add(node["content"])]
        if loader == "SliceNode":
            return [[node["content"][name] for name in ("start", "stop", "step")]]
        if loader in ("BytesNode", "BytearrayNode"):
            return self._add_array(np.frombuffer(self.archive.read(node["file"]), np.uint8))
        if loader == "NdArrayNode" and node["type"] == "numpy":
            with PARSING:
                array = np.load(io.BytesIO(self.archive.read(node["file"])), allow_pickle=False)
            return self._add_array(array)
        if loader == "NdArrayNode" and node["shape"]["content"]:
            return [len(node["shape"]["content"]), [self.add(value) for value in node["content"]]]
        if loader in PARTS:
            return [self.add(functools.reduce(lambda part, name: part[name], path, node)) for path in PARTS[loader]]
        raise _CannotPackError

    def _add_keys(self, node: dict[str, Any]) -> int:
        types = [self._kind(part) for part in node["key_types"]["content"]]
        if len(types) != len(node["content"]):  # two keys have the same text
            raise _CannotPackError
        texts = {self.kinds.get(TEXT)}
        keys = [list(node["content"]), None if set(types) <= texts else types]
        known = json.dumps(keys)
        if known not in self.numbers:
            self.numbers[known] = len(self.keys)
            self.keys.append(keys)
        return self.numbers[known]

    def _add_array(self, array: Any) -> list[Any]:
        in_columns = array.flags.f_contiguous and not array.flags.c_contiguous
        pieces = self.arrays.setdefault(array.dtype, [])
        pieces.append(array.ravel("F" if in_columns else "C"))
        return [[*self.arrays].index(array.dtype), list(array.shape), int(in_columns)]
