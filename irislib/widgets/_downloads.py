"""Files that a page makes for its visitor, sent in parts that fit into messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from irislib._common.messages import TEXTS

__all__ = ["PART_BYTES", "Downloads", "File"]

PART_BYTES = 500_000

File = tuple[str, bytes]  # name and content


class Downloads:
    """The downloads of one visitor's page.

    Parameters
    ----------
    makers : dict of str to callable
        Functions that return a file, or None if it no longer exists.
    """

    def __init__(self, makers: dict[str, Callable[[], File | None]]) -> None:
        self.makers = makers
        self.files: dict[str, File] = {}

    def handle_part(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return one part of a file; the first makes it, the last drops it."""
        kind, part = request["file"], int(request["part"])
        if part == 0:
            file = self.makers[kind]()
            if file is None:
                return {"error": TEXTS["table_gone"]}
            self.files[kind] = file
        name, content = self.files[kind]
        media_type = "text/html" if name.endswith(".html") else "text/csv"
        is_last = (part + 1) * PART_BYTES >= len(content)
        if is_last:
            del self.files[kind]
        start = part * PART_BYTES
        return {"name": name, "type": media_type, "last": is_last, "part": content[start : start + PART_BYTES]}
