"""The lines that irislib's loggers write, as its source has them."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import irislib

__all__ = ["COMPUTED", "Line", "lines"]

LEVELS = ("debug", "info", "warning", "error", "exception")
PLACEHOLDER = re.compile(r"%[sdrgf]|{[^{}]*}")
# Lines whose text is put together elsewhere, by their module and the level.
COMPUTED = {
    ("irislib._modeling.registry", "warning"): ["The stored … cannot be read from …"],
    ("irislib._modeling.user_errors", "error"): ["reference …: …"],
    ("irislib._modeling.candidate_following", "info"): ["TEXTS:candidate.begins", "TEXTS:candidate.ends"],
    ("irislib._serving.callback_log", "log"): ["TEXTS:callback_failed", "TEXTS:callback_printed"],
    ("irislib._serving.lifecycle", "error"): ["TEXTS:model_failed"],
    ("irislib._serving.lifecycle", "info"): ["TEXTS:ready"],
    ("irislib._serving.lifecycle", "report"): ["irislib …: …"],
    ("irislib._serving.following_arbiter", "report"): ["Error: …"],
    ("irislib._serving.request_logs", "log"): ["503 …"],
    ("irislib._serving.startup", "info"): ["TEXTS:stored", "TEXTS:trained", "TEXTS:trained_unstored",
                                           "TEXTS:waiting"],
    ("irislib._common.borrowed", "warning"): ["irislib uses … of …, which …"],
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Line:
    """A line of a log: the level, the text with … for what is filled in, and the module that writes it."""

    level: str
    text: str
    module: str


def lines() -> list[Line]:
    """Return every line that is not for debugging, sorted by level and text."""
    root = Path(irislib.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        module = ".".join(("irislib", *path.relative_to(root).with_suffix("").parts))
        found |= set(_lines_of(path, module))
    return sorted(found)


def _lines_of(path: Path, module: str) -> Iterator[Line]:
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_log(call.func)):
            continue
        name = call.func.attr
        if name not in (*LEVELS[1:], "log", "report"):
            continue
        level = {"exception": "error", "log": "warning", "report": "error"}.get(name, name)
        for text in _texts(call, module, name):
            shown = PLACEHOLDER.sub("…", text).partition("\n")[0].strip()
            yield Line(level, shown, module)


def _is_log(call: ast.Attribute) -> bool:
    node = call.value
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("log", "logger", "server_log") or (name, call.attr) == ("json_lines", "report")


def _texts(call: ast.Call, module: str, name: str) -> list[str]:
    arguments = call.args[1:] if name == "log" else call.args
    for argument in arguments[:2]:
        text = _text(argument, module)
        if text and PLACEHOLDER.sub("", text).strip():
            return [text]
    known = COMPUTED.get((module, name), [])
    return [_of_table(module, text) for text in known] or [f"? ({module}:{call.lineno})"]


def _of_table(module: str, text: str) -> str:
    return str(importlib.import_module(module).TEXTS[text[6:]]) if text.startswith("TEXTS:") else text


def _text(node: ast.expr, module: str) -> str | None:
    """Return the text of an expression, if it stands in the source, or in a table or a constant of its module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "rstrip"):
        return _text(node.func.value, module)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return str(getattr(importlib.import_module(module), node.value.id)[node.slice.value])
    if isinstance(node, ast.Name) and node.id.isupper():
        return str(getattr(importlib.import_module(module), node.id))
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None
