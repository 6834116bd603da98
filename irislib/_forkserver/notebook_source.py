"""The source of a notebook: what it imports, and whether it may be run once for all visitors.

The server reads it; IPython, which runs notebooks, is imported in template processes alone.
"""

from __future__ import annotations

import ast
from typing import Any

from irislib._common.locks import parse_source

__all__ = ["imported_modules", "runs_once", "uses_only_irislib"]

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # of a magic, of a null character, of deep nesting
UNSAFE_BUILTINS = {"open", "input", "eval", "exec", "compile", "__import__"}  # reach beyond irislib without an import


def runs_once(notebook: dict[str, Any]) -> bool:
    """Return True if a notebook is to be run once for all visitors.

    Its metadata can set it (``{"irislib": {"run": "once"}}`` or ``"each visit"``). By default it is run once
    if it imports nothing but irislib, and so cannot depend on the time of day or on files that change.
    """
    choice = notebook["metadata"].get("irislib", {}).get("run")
    if choice in ("once", "each visit"):
        return bool(choice == "once")
    sources = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return all(uses_only_irislib(source) for source in sources)


def uses_only_irislib(source: str) -> bool:
    """Return True if a cell uses nothing but irislib."""
    try:
        tree = parse_source(source)
    except UNPARSABLE:
        return False
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return not names & UNSAFE_BUILTINS and all(name.partition(".")[0] == "irislib" for name in imported_modules(source))


def imported_modules(source: str) -> list[str]:
    """Return the modules that a cell imports; none if it is not plain Python."""
    modules: list[str] = []
    try:
        nodes = list(ast.walk(parse_source(source)))
    except UNPARSABLE:
        return modules
    for node in nodes:
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.append(node.module or "")
    return modules
