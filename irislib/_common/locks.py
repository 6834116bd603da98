"""Locks of what one process must not do in two threads at once."""

import ast
import threading

__all__ = ["PARSING", "parse_source"]

# CPython 3.11 keeps the depth of the syntax tree that it builds for all threads together, so that two that build one
# fail now and then (https://github.com/python/cpython/issues/106905). NumPy builds one for each array that it reads.
PARSING = threading.RLock()


def parse_source(source: str) -> ast.Module:
    """Return the syntax tree of Python source, as `ast.parse` does, in one thread at a time."""
    with PARSING:
        return ast.parse(source)
