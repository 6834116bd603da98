"""Prints and errors of a page's callbacks, in the server's log."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from irislib._common.messages.serving import TEXTS

__all__ = ["CallbackLog"]

BURST_OF_CHARACTERS, CHARACTERS_PER_SECOND = 20_000, 500  # of one kernel: visitors can repeat a callback as they like
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class CallbackLog:
    """The messages of one kernel that nobody sees otherwise.

    Nothing is logged of a callback that prints into an `Output` widget, which is on the page.

    Parameters
    ----------
    page : str
        The name of its page.
    log : Logger
    """

    def __init__(self, page: str, log: logging.Logger):
        self.page, self.log = page, log
        self.outputs: set[str] = set()  # the Output widgets that capture what is printed
        self.characters, self.updated = float(BURST_OF_CHARACTERS), time.monotonic()
        self.is_cut, self.request_id = False, ""

    def add(self, msg_type: str, content: Mapping[str, Any], request_id: str = "") -> None:
        """Log a message of the kernel if its type is one that is logged.

        Parameters
        ----------
        msg_type : str
        content : mapping
        request_id : str
            Of the message that the kernel handles.
        """
        self.request_id = request_id
        if msg_type == "comm_msg":
            state = content.get("data", {}).get("state", {})
            if "msg_id" in state:
                (self.outputs.add if state["msg_id"] else self.outputs.discard)(content["comm_id"])
        elif msg_type == "error":
            traceback = "\n".join(map(str, content.get("traceback", ()))) or content.get("ename", "")
            self.write(logging.ERROR, "callback_failed", traceback)
        elif msg_type == "stream" and not self.outputs:
            level = logging.WARNING if content.get("name") == "stderr" else logging.INFO
            self.write(level, "callback_printed", str(content.get("text", "")))

    def write(self, level: int, key: str, text: str) -> None:
        """Log a text, as long as the kernel has not written too much."""
        lines = [CONTROL.sub("?", line) for line in ANSI.sub("", text).strip("\n").split("\n") if line.strip()]
        if not lines:
            return
        now = time.monotonic()
        self.characters += (now - self.updated) * CHARACTERS_PER_SECOND
        self.characters, self.updated = min(self.characters, BURST_OF_CHARACTERS), now
        if len(text) > self.characters:
            if not self.is_cut:
                self.log.warning(TEXTS["callback_cut"].format(page=self.page))
            self.is_cut = True
            return
        self.is_cut = False
        self.characters -= len(text)
        # what follows is indented, so that no text can be taken for a line of the log
        text = TEXTS[key].format(page=self.page, text="\n    ".join(lines))
        self.log.log(level, "%s", text, extra={"request_id": self.request_id})
