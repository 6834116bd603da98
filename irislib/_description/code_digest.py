"""Digests of code by its meaning: comments, docstrings, formatting and the order of definitions do not count.

A function or class is digested with all that it uses of the user's own modules, transitively: helpers, base classes,
constants. Installed libraries are not followed; their versions are compared instead.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import symtable
import sys
import sysconfig
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from irislib._common.locks import parse_source

__all__ = ["digest_code", "is_installed", "is_own_module"]

# Compared by version; irislib itself may be installed from a folder like the user's own modules.
LIBRARIES = frozenset(("irislib", *sys.stdlib_module_names)) - {"__main__"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def digest_code(objects: Iterable[Any], packages: Collection[str] = ()) -> dict[str, str]:
    """Return digests of functions and classes, and of what they use of the user's own modules.

    Parameters
    ----------
    objects : iterable of functions and classes
    packages : collection of str
        Packages that are the user's own even if they are installed.

    Returns
    -------
    dict of str to str
        Digests by dotted name, such as ``wine.helpers.double``.
    """
    walk = _Walk(packages)
    for part in objects:
        walk.add(part)
    return dict(sorted(walk.digests.items()))


def is_own_module(name: str, packages: Collection[str] = ()) -> bool:
    """Return True if a module is the user's own: not of Python, irislib or an installed library."""
    package = name.partition(".")[0]
    if package in packages or name == "__main__":
        return True
    if package in LIBRARIES:
        return False
    file = _file(name)
    return file is None or not is_installed(file)


@functools.cache
def is_installed(file: str) -> bool:
    """Return True if a file is Python's or an installed library's."""
    folders = {Path(folder).resolve() for folder in sysconfig.get_paths().values()}
    path = Path(file).resolve()
    return not folders.isdisjoint(path.parents) or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)


def _file(module: str) -> str | None:
    if module in sys.modules:
        return getattr(sys.modules[module], "__file__", None)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec.origin if spec is not None and spec.has_location else None


class _Module:
    """The definitions at the top of a module, by name, and what it imports."""

    def __init__(self, name: str, file: str, source: str):
        is_package = Path(file).stem == "__init__"
        self.name, self.source = name, _without_docstrings(parse_source(source))
        self.package = name if is_package else name.rpartition(".")[0]
        self.definitions: dict[str, list[ast.stmt]] = {}
        statements = list(_statements(self.source.body))
        self.imports, self.stars = _imports(statements, self.package)
        for statement in statements:
            for defined in _defined(statement):
                self.definitions.setdefault(defined, []).append(statement)


class _Walk:
    """The digests of definitions, found from one to the next."""

    def __init__(self, packages: Collection[str]):
        self.packages = packages
        self.digests: dict[str, str] = {}

    def add(self, part: Any) -> None:
        """Add a function or class."""
        module, name = part.__module__ or "", part.__qualname__
        if "<" in name or not self._follow(module, name.partition(".")[0]):
            self._add_compiled(part)

    def _follow(self, module: str, name: str) -> bool:
        """Add what a name at the top of a module stands for; return False if it is not in its source."""
        key = f"{module}.{name}"
        if key in self.digests:
            return True
        if (content := _read_module(module)) is None:
            return False
        if statements := content.definitions.get(name):
            self.digests[key] = _hash("\n".join(map(ast.unparse, statements)))
            for statement in statements:
                self._follow_names(content, statement)
            return True
        if name in content.imports:
            return self._follow_import(*content.imports[name])
        return any(self._is_own(star) and self._follow(star, name) for star in content.stars)

    def _follow_names(self, content: _Module, statement: ast.stmt) -> None:
        local, stars = _imports(ast.walk(statement), content.package)
        names = _global_names(symtable.symtable(ast.unparse(statement), "", "exec"))
        for name in sorted(names | set(local)):
            if name in local or name in content.imports:
                imported = local.get(name) or content.imports[name]
                self._follow_import(*imported, _attributes(statement, name))
            elif name in content.definitions:
                self._follow(content.name, name)
            else:
                any(self._is_own(star) and self._follow(star, name) for star in [*content.stars, *stars])

    def _follow_import(self, module: str, name: str, attributes: Iterable[Sequence[str]] = ((),)) -> bool:
        """Add what is imported: a definition of a module, or what is used of a module."""
        if not self._is_own(module):
            return True
        if name:
            if self._follow(module, name):
                return True
            module = f"{module}.{name}"
        if _read_module(module) is None:
            return False
        for chain in attributes:
            self._follow_chain(module, chain)
        return True

    def _follow_chain(self, module: str, chain: Iterable[str]) -> None:
        """Add the definition that attributes of a module lead to, or all of the module if they lead to none."""
        for name in chain:
            if self._follow(module, name):
                return
            if _read_module(f"{module}.{name}") is None:
                break
            module = f"{module}.{name}"
        if (content := _read_module(module)) is not None:
            self.digests[module] = _hash(ast.unparse(content.source))

    def _is_own(self, module: str) -> bool:
        return is_own_module(module, self.packages)

    def _add_compiled(self, part: Any) -> None:
        """Add a function or class without source, such as one of a prompt, by its compiled code."""
        functions = [value for value in (part, *getattr(part, "__dict__", {}).values()) if inspect.isfunction(value)]
        texts: list[str] = []
        self.digests[_dotted(part)] = ""  # it may refer to itself
        for function in functions:
            texts += _texts(function.__code__)
            for name in function.__code__.co_names:
                value = function.__globals__.get(name)
                if isinstance(value, str | int | float | tuple):
                    texts.append(f"{name} = {value!r}")
                elif _is_code(value) and self._is_own(value.__module__) and _dotted(value) not in self.digests:
                    self.add(value)
        self.digests[_dotted(part)] = _hash("\n".join(texts))


def _read_module(name: str) -> _Module | None:
    """Return the source of a module, or None if it has none."""
    file = _file(name)
    if not file or not file.endswith(".py"):
        return None
    try:
        return _parse(name, file, Path(file).stat().st_mtime_ns)
    except (OSError, SyntaxError, ValueError):  # edited since it was imported
        return None


@functools.lru_cache(maxsize=1000)
def _parse(name: str, file: str, changed_at: int) -> _Module:
    return _Module(name, file, Path(file).read_bytes().decode())


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, *_DEFINITIONS)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.fix_missing_locations(tree)


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Yield the statements at the top of a module, also those in ``if``, ``try`` and ``with``."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for name in ("body", "handlers", "orelse", "finalbody"):
                for part in getattr(statement, name, ()):
                    yield from _statements(part.body if isinstance(part, ast.ExceptHandler) else [part])
        else:
            yield statement


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines or changes."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return set()


def _imports(nodes: Iterable[ast.AST], package: str) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return what names are imported, as module and name in it, and the modules of which all is imported."""
    imports: dict[str, tuple[str, str]] = {}
    stars = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                imports[alias.asname or first] = (alias.name if alias.asname else first, "")
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (parent, node.module)))
            for alias in node.names:
                if alias.name == "*":
                    stars.append(module)
                else:
                    imports[alias.asname or alias.name] = (module, alias.name)
    return imports, stars


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """Return the names of the module that a statement uses."""
    is_top = table.get_type() == "module"
    names = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (is_top or s.is_global())}
    return names.union(*map(_global_names, table.get_children()))


def _attributes(statement: ast.stmt, name: str) -> list[list[str]]:
    """Return the attributes that a statement uses of a name, such as ``["helpers", "double"]`` for each use."""
    chains = []
    inner: set[int] = set()
    for node in ast.walk(statement):  # the outermost first
        chain: list[str] = []
        part: ast.AST = node
        while isinstance(part, ast.Attribute):
            chain.insert(0, part.attr)
            inner.add(id(part.value))
            part = part.value
        if isinstance(part, ast.Name) and part.id == name and id(node) not in inner:
            chains.append(chain)
    return chains


def _is_code(value: Any) -> bool:
    return inspect.isfunction(value) or inspect.isclass(value)


def _dotted(part: Any) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _texts(code: CodeType) -> list[str]:
    texts = [code.co_code.hex(), repr(code.co_names)]
    for constant in code.co_consts:
        texts += _texts(constant) if isinstance(constant, CodeType) else [repr(constant)]
    return texts


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
