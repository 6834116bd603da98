"""Python source, laid out as formatters leave it: lines of at most 88 characters, else one part a line."""

from __future__ import annotations

import datetime as dt
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from irislib._description.values import to_python

__all__ = [
    "WIDTH",
    "Call",
    "Node",
    "Sequenced",
    "comment",
    "docstring",
    "flat",
    "import_order",
    "is_standard",
    "laid_out",
    "literal",
    "quoted",
]

WIDTH = 88
LONGEST = 120  # a text beyond it is written in several parts, which no formatter joins


@dataclass(frozen=True)
class Call:
    """A call, or a tuple if it has no name."""

    name: str
    arguments: Sequence[Node] = ()
    named: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Sequenced:
    """A list, or a dict if its parts are pairs; a pair whose key begins with ``# `` is a comment."""

    parts: Sequence[Node] | Mapping[str, Node]


Node = str | Call | Sequenced


def quoted(text: str) -> str:
    """Return a text as a literal in double quotes, if these need no more escapes than single ones."""
    source = repr(text)
    if source[0] == '"' or text.count('"') > text.count("'"):
        return source
    return '"' + source[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'


def literal(value: Any) -> Node:
    """Return the Python of a plain value; days and times as text, which a feature parses."""
    value = to_python(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dt.date | dt.time):
        return quoted(value.isoformat())
    if isinstance(value, Mapping):
        return Sequenced({flat(literal(key)): literal(part) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return Sequenced([literal(part) for part in value])
    return repr(value)


def flat(node: Node) -> str:
    """Return a node on one line."""
    if isinstance(node, str):
        return node
    opening, parts, closing = _parts(node)
    inner = ", ".join(prefix + flat(part) for prefix, part in parts)
    return opening + inner + ("," if opening == "(" and len(parts) == 1 else "") + closing


def laid_out(node: Node, prefix: str = "", indent: int = 0, suffix: str = "") -> str:
    """Return a node in lines.

    Parameters
    ----------
    node : Node
    prefix : str
        What stands before it on its first line, such as ``x = ``.
    indent : int
        Of its lines, in characters.
    suffix : str
        What stands after it on its last line, such as a comma.
    """
    line = " " * indent + prefix + flat(node) + suffix
    if isinstance(node, str):
        return line if len(line) <= LONGEST else _long_text(node, prefix, indent, suffix)
    if (len(line) <= WIDTH and not _has_comment(node)) or not _parts(node)[1]:
        return line
    opening, parts, closing = _parts(node)
    lines = [laid_out(part, start, indent + 4, ",") for start, part in parts]
    return "\n".join([" " * indent + prefix + opening, *lines, " " * indent + closing + suffix])


def _has_comment(node: Node) -> bool:
    return not isinstance(node, str) and any(
        start.startswith("# ") or _has_comment(part) for start, part in _parts(node)[1]
    )


def _parts(node: Call | Sequenced) -> tuple[str, list[tuple[str, Node]], str]:
    """Return what opens a node, its parts with what stands before each, and what closes it."""
    if isinstance(node, Call):
        named = [(f"{name}=", part) for name, part in node.named.items()]
        return f"{node.name}(", [*(("", part) for part in node.arguments), *named], ")"
    if isinstance(node.parts, Mapping):
        return "{", [(f"{key}: ", part) for key, part in node.parts.items()], "}"
    return "[", [("", part) for part in node.parts], "]"


def _long_text(node: str, prefix: str, indent: int, suffix: str) -> str:
    """Return a text literal in several parts, in brackets; any other code as it is."""
    inner = node[1:-1]
    if node[:1] != '"' or "\\" in inner or len(inner.split()) < 2:
        return " " * indent + prefix + node + suffix
    pieces = textwrap.wrap(inner, WIDTH - indent - 8, drop_whitespace=False, break_long_words=False)
    lines = [" " * (indent + 4) + f'"{piece}"' for piece in pieces]
    return "\n".join([" " * indent + prefix + "(", *lines, " " * indent + ")" + suffix])


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as the lines of a comment."""
    start = " " * indent + "# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=start, break_long_words=False, break_on_hyphens=False
    )


def docstring(text: str) -> str:
    """Return a text as it may stand in a docstring."""
    return text.replace("\\", "/").replace('"', "'")


def is_standard(line: str) -> bool:
    """Return whether an import line is of Python's own library."""
    return line.split()[1].partition(".")[0] in sys.stdlib_module_names


def import_order(line: str) -> tuple[bool, str]:
    """Sort as ruff does: modules first, then names from modules."""
    return line.startswith("from"), line.split()[1].lower()
