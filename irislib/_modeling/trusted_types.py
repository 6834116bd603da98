"""The types and functions that a stored estimator may consist of.

A skops file is a tree of nodes: each names a type or a function, and how to make it (its loader). skops asks for
names to trust, whatever their loader; but a name that is harmless as the type of an object may do harm as a
function that is called. Here each node is checked with its loader, before anything of the file is made.

Whole libraries are not trusted: NumPy's ``DataSource`` deletes a folder when it is collected, SciPy's distributions
run code that their state holds, joblib's ``load`` reads pickles.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np

__all__ = ["audit", "audit_nodes", "is_of_library"]

MAX_BYTES = 1 << 30  # of a sparse matrix, unpacked; only these are compressed in a skops file
BOOSTERS = ("xgboost", "lightgbm", "catboost")
# Its estimators, and the model in them, which is kept in the booster's own format.
BOOSTER_BASES = {"BaseEstimator", "Booster", "_CatBoostBase", "TrainingCallback"}
LIBRARIES = ("sklearn", "numpy", "scipy", "irislib", *BOOSTERS)
# Python's own modules run commands and delete files, joblib and its like read pickles.
NEVER = {*sys.stdlib_module_names, "__main__", "joblib", "cloudpickle", "dill", "pandas", "skops"}
MEMBER = re.compile(r"schema\.json|[\w-]+\.(npy|npz|bin)")
# Of scikit-learn, what no fitted estimator has: it reads files, calls what it is handed, or is made for tests.
REFUSED_PARTS = {"callback", "conftest", "datasets", "externals", "experimental", "tests", "_testing", "_mocking"}
REFUSED_PARTS |= {"dask", "spark"}  # of the boosters: they need a cluster
PRIMITIVES = {f"builtins.{name}" for name in ("str", "int", "float", "bool")}
PLAIN_TYPES = {
    *PRIMITIVES,
    *(f"builtins.{name}" for name in ("bytes", "complex", "dict", "frozenset", "list", "object", "set", "tuple")),
    "collections.OrderedDict",
    "collections.defaultdict",
}

# Loaders that make an object of a type, and what the type must derive from.
OF_TYPES = {
    "DictNode": "builtins.dict",
    "ListNode": "builtins.list",
    "SetNode": "builtins.set",
    "TupleNode": "builtins.tuple",
    "NdArrayNode": "numpy.generic",
    "SparseMatrixNode": "",
    "LossNode": "",
    "ObjectNode": "",
    "TypeNode": "",
}
# Types by loader, which are made of data alone.
EXACT = {("DictNode", "collections.OrderedDict"), ("NdArrayNode", "numpy.ndarray")}
NAMED: dict[str, set[str]] = {
    "BytesNode": {"builtins.bytes"},
    "BytearrayNode": {"builtins.bytearray"},
    "SliceNode": {"builtins.slice"},
    "DTypeNode": {"numpy.dtype"},
    "MaskedArrayNode": {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "RandomGeneratorNode": {"numpy.random._generator.Generator"},  # skops checks its bit generator
    "DefaultDictNode": {"collections.defaultdict"},
    "PartialNode": {"functools.partial"},  # its function is a node of its own, checked as such
    "OperatorFuncNode": {"operator.itemgetter"},  # a FunctionTransformer that picks columns
    "TreeNode": {"sklearn.tree._tree.Tree"},
    # The only types that are called with arguments of the file.
    "ConstructorFromReduceNode": {
        "builtins.frozenset",
        "builtins.range",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "zoneinfo.ZoneInfo",
    },
}
# Functions that only compute: estimators hold them, and call them with rows.
FUNCTIONS = {
    "scipy._lib.array_api_compat.numpy._aliases.asarray": "a spline's own way to make arrays",
    "sklearn.utils.validation.check_array": "HistGradientBoosting's own conversion of columns",
    **{
        f"numpy.{name}": "computes with an array"
        for name in ("abs", "around", "asarray", "clip", "nan_to_num", "ravel", "reshape", "round", "squeeze")
    },
}
FUNCTION_MODULES = ("sklearn.metrics.", "sklearn.feature_selection.", "scipy.special.")  # scores, kernels, mathematics
# Types of libraries other than scikit-learn and the boosters that fitted estimators hold.
OBJECTS = {
    "scipy.interpolate._bsplines.BSpline": "coefficients of a SplineTransformer",
    "irislib._modeling.estimator_file.Distribution": "name and parameters of a distribution of a search",
}


def audit(content: bytes, modules: Collection[str] | None = ()) -> tuple[set[str], list[str]]:
    """Check the names in a skops file; nothing of it is made.

    Parameters
    ----------
    content : bytes
        Of the file.
    modules : collection of str or None
        Top-level modules whose types and functions are trusted besides; None for all but Python's own.

    Returns
    -------
    trusted : set of str
        What may be made.
    refused : list of str
        What may not.

    Raises
    ------
    ValueError
        If it is no file that skops writes.
    """
    with ZipFile(io.BytesIO(content)) as archive:
        _check_members(archive)
        schema = json.loads(archive.read("schema.json"))
    if schema.get("protocol") != _protocol():
        raise ValueError("it was written by another version of skops")
    nodes = list(_nodes(schema))
    _check_numbers(nodes)
    return audit_nodes(nodes, modules)


def audit_nodes(nodes: Iterable[dict[str, Any]], modules: Collection[str] | None) -> tuple[set[str], list[str]]:
    """Check the names of nodes; see `audit`."""
    trusted: set[str] = set()
    refused: set[str] = set()
    for node in nodes:
        (trusted if _is_trusted(node, modules) else refused).add(_name(node))
    return trusted, sorted(refused)


def is_of_library(name: str) -> bool:
    """Return True if a name is Python's or a library's, not of a module that a user wrote."""
    library = name.partition(".")[0]
    return library != "__main__" and (library in LIBRARIES or library in NEVER)


def _check_members(archive: ZipFile) -> None:
    names = archive.namelist()
    if len(set(names)) != len(names) or not all(MEMBER.fullmatch(name) for name in names):
        raise ValueError("it holds files that skops does not write")
    for member in archive.infolist():
        if member.compress_type != ZIP_STORED:
            raise ValueError(f"{member.filename} is compressed")
        if member.filename.endswith(".npz"):
            with ZipFile(io.BytesIO(archive.read(member))) as matrix:
                if sum(part.file_size for part in matrix.infolist()) > MAX_BYTES:
                    raise ValueError(f"{member.filename} has more than {MAX_BYTES:,} bytes when unpacked")


def _protocol() -> int:
    import skops.io

    with ZipFile(io.BytesIO(skops.io.dumps(0))) as archive:
        return int(json.loads(archive.read("schema.json"))["protocol"])


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    stack = [schema]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
            if "__loader__" in value or "__class__" in value:
                if not all(isinstance(value[key], str) for key in ("__loader__", "__module__", "__class__")):
                    raise ValueError("a node has no name")
                yield value


def _check_numbers(nodes: list[dict[str, Any]]) -> None:
    """Check that nodes of the same number are alike: skops makes the first and takes it for all of them."""
    kinds: dict[int, tuple[str, str]] = {}
    files: dict[str, int] = {}
    counts: Counter[int] = Counter()
    for node in nodes:
        number, kind = node["__id__"], (node["__loader__"], _name(node))
        counts[number] += 1
        if kinds.setdefault(number, kind) != kind:
            raise ValueError("two nodes claim to be the same one")
        if "file" in node and files.setdefault(node["file"], number) != number:
            raise ValueError("two nodes share a part of the file")  # else a small file could fill the memory
    for node in nodes:
        if node["__loader__"] == "DictNode" and counts[node["key_types"]["__id__"]] > 1:
            raise ValueError("two nodes claim to be the same one")


def _name(node: dict[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _is_trusted(node: dict[str, Any], modules: Collection[str] | None) -> bool:
    loader, name = node["__loader__"], _name(node)
    if loader == "JsonNode":
        return True
    if loader in NAMED:
        return name in NAMED[loader]
    if loader == "FunctionNode":
        return _is_function(node, modules)
    if loader == "DictNode" and not _are_plain_keys(node["key_types"]):
        return False
    return loader in OF_TYPES and _is_type(node, OF_TYPES[loader], modules)


def _are_plain_keys(node: dict[str, Any]) -> bool:
    """Return True if all keys are texts or numbers: a key's type is called with its text."""
    return node["__loader__"] == "ListNode" and all(
        part["__loader__"] == "TypeNode"
        and (_name(part) in PRIMITIVES or issubclass(_resolve(part) or object, np.generic))
        for part in node["content"]
    )


def _is_type(node: dict[str, Any], base: str, modules: Collection[str] | None) -> bool:
    """Return True if a node names a type, defined under that very name, that may be made by the node's loader."""
    loader, name = node["__loader__"], _name(node)
    if name == base or (loader, name) in EXACT or (loader == "TypeNode" and name in PLAIN_TYPES):
        return True
    if (
        loader in ("LossNode", "ObjectNode") and node["__module__"] == "_loss"
    ):  # as scikit-learn before 1.8 compiled the module
        losses = vars(importlib.import_module("sklearn._loss._loss"))
        return isinstance(losses.get(node["__class__"]), type)
    kind = _resolve(node, modules)
    if not isinstance(kind, type) or (base and not issubclass(kind, _import(base))):
        return False
    library = node["__module__"].partition(".")[0]
    if library == "numpy":
        return issubclass(kind, np.generic)
    if loader == "LossNode":
        return node["__module__"] in ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")
    if loader == "SparseMatrixNode":
        return name.startswith("scipy.sparse.")
    if library in ("scipy", "irislib"):
        return name in OBJECTS
    if library in BOOSTERS:
        return not BOOSTER_BASES.isdisjoint(base.__name__ for base in kind.__mro__)
    return library != "sklearn" or not hasattr(kind, "__del__")


def _is_function(node: dict[str, Any], modules: Collection[str] | None) -> bool:
    function = _resolve(node, modules)
    library = node["__module__"].partition(".")[0]
    if isinstance(function, np.ufunc) and library in ("numpy", "scipy"):
        return True
    if function is None or isinstance(function, type):
        return False
    name = _name(node)
    return name in FUNCTIONS or name.startswith(FUNCTION_MODULES) or library not in LIBRARIES


def _resolve(node: dict[str, Any], modules: Collection[str] | None = ()) -> Any:
    """Return the type or function that is defined under a node's name, or None if there is none that may be used."""
    module, name = node["__module__"], node["__class__"]
    library, *parts = module.split(".")
    if library not in LIBRARIES and (modules is not None and library not in modules):
        return None
    if library in NEVER or any(part.startswith("__") for part in parts):
        return None
    if library in LIBRARIES and REFUSED_PARTS.intersection(parts):
        return None
    try:
        value = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name == library:
            raise  # it is not installed
        return None
    defined_in = getattr(value, "__module__", None) or module
    return value if (defined_in, getattr(value, "__qualname__", name)) == (module, name) else None


def _import(name: str) -> type:
    module, _, attribute = name.rpartition(".")
    kind: type = getattr(importlib.import_module(module), attribute)
    return kind
