"""Files that a page makes for its visitor, sent in parts that fit into messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from irislib._common.messages import TEXTS

__all__ = ["PART_BYTES", "Downloads", "File", "file_stem"]

PART_BYTES = 500_000
MEDIA_TYPES = {"csv": "text/csv", "html": "text/html", "png": "image/png", "svg": "image/svg+xml"}

File = tuple[str, bytes]  # name and content


def file_stem(title: str) -> str:
    """Return the name of a file, without its ending, made from a title."""
    return re.sub(r"\W+", "-", title.lower()).strip("-") or "irislib"


class Downloads:
    """The downloads of one visitor's page.

    Parameters
    ----------
    makers : dict of str to callable
        Functions that return a file, or None if it no longer exists; those of several files take a name.
    """

    def __init__(self, makers: dict[str, Callable[..., File | None]]) -> None:
        self.makers = makers
        self.files: dict[str, File] = {}

    def handle_part(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return one part of a file; the first makes it, the last drops it."""
        kind, part = str(request["file"]), int(request["part"])
        if part == 0:
            maker, _, argument = kind.partition(":")
            file = self.makers[maker](*filter(None, [argument]))
            if file is None:
                return {"error": TEXTS["file_gone"]}
            self.files[kind] = file
        name, content = self.files[kind]
        media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        is_last = (part + 1) * PART_BYTES >= len(content)
        if is_last:
            del self.files[kind]
        start = part * PART_BYTES
        return {"name": name, "type": media_type, "last": is_last, "part": content[start : start + PART_BYTES]}
