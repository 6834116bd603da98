"""JSON read from a file piece by piece, so that a body of any length takes little memory.

The grammar of a value is left to the standard library's decoder; what is read here is only what
stands around the values: the brackets and commas of the outermost array or object.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

__all__ = ["Reader"]

PIECE = 262_144  # bytes
SPACE = re.compile(r"[ \t\n\r]*")
TOKEN = 12  # characters of the longest token that is neither a string nor a number: "\ud83d\ude00"
AHEAD = 3  # "1" may go on as "1e+5": so many characters decide whether a number has ended


class Reader:
    """A file of JSON, and a place in it.

    Every method raises ValueError or RecursionError where the file is no JSON that Python can read.

    Parameters
    ----------
    file : binary file
        It must be seekable; others may read it at the same time, elsewhere in it.
    pairs : callable, optional
        Makes something else than a dict of the names and values of an object.
    start : int
        Where to begin, in bytes.
    piece : int
        How many bytes are read at a time.
    """

    def __init__(
        self,
        file: IO[bytes],
        pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
        start: int = 0,
        piece: int = PIECE,
    ):
        self.file = file
        self.decoder = json.JSONDecoder(object_pairs_hook=pairs)
        self.piece = piece
        self.read = start  # bytes
        self.utf8 = codecs.getincrementaldecoder("utf-8" if start else "utf-8-sig")()
        self.ended = False
        self.text = ""
        self.at = 0  # in the text
        self.characters = self.lines = self.column = 0  # before the text
        self.is_fresh = False  # whether many values at once were not yet sought in this text

    @property
    def place(self) -> int:
        """Where the next value begins, in bytes."""
        self.peek()
        return self.read - len(self.utf8.getstate()[0]) - len(self.text[self.at :].encode())

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self.at = SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """The next value."""
        while True:
            self.peek()
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                may_go_on = error.msg.startswith("Unterminated") or error.pos + TOKEN > len(self.text)
                if may_go_on and self._more():
                    continue
                raise self._error(error.msg, error.pos) from None
            if end + AHEAD <= len(self.text) or not self._more():
                self.at = end
                return value

    def elements(self) -> Iterator[list[Any]]:
        """The values of an array, some at a time."""
        self._take("[", "Expecting value")
        self.is_fresh = True
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            yield self._many() or [self.value()]
            if self._take(",]", "Expecting ',' delimiter") == "]":
                return

    def members(self) -> Iterator[str]:
        """The names in an object; the value of each must be read before the next is asked for."""
        self._take("{", "Expecting value")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            if self.peek() != '"':
                raise self._error("Expecting property name enclosed in double quotes", self.at)
            name = self.value()
            self._take(":", "Expecting ':' delimiter")
            yield name
            if self._take(",}", "Expecting ',' delimiter") == "}":
                return

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._error("Extra data", self.at)

    def _many(self) -> list[Any]:
        """Nearly all values of an array that are in the text, if they can be had in one go, which is faster.

        They end at what looks like the end of the last. It is one: if it were inside a string or inside
        another value, what stands before it would be no list of values.
        """
        sign = self.peek()
        if not self.is_fresh:
            return []
        self.is_fresh = False
        if sign == "{":
            end = self.text.rfind("}") + 1
        elif (end := self.text.find("]", self.at)) < 0:
            end = max(self.text.rfind(","), 0)
        try:
            found: list[Any] = self.decoder.decode(f"[{self.text[self.at : end]}]")
        except (ValueError, RecursionError):
            return []
        if found:
            self.at = end
        return found

    def _take(self, signs: str, otherwise: str) -> str:
        sign = self.peek()
        if not sign or sign not in signs:
            raise self._error(otherwise, self.at)
        self.at += 1
        return sign

    def _more(self) -> bool:
        """Read on; whether there was anything to read. What is behind is let go."""
        if self.ended:
            return False
        self.characters += self.at
        if lines := self.text.count("\n", 0, self.at):
            self.lines += lines
            self.column = self.at - self.text.rindex("\n", 0, self.at) - 1
        else:
            self.column += self.at
        rest = self.text[self.at :]
        self.file.seek(self.read)
        piece = self.file.read(max(self.piece, len(rest)))  # a value that is long is not read again for each piece
        self.read += len(piece)
        self.ended = not piece
        try:
            self.text, self.at = rest + self.utf8.decode(piece, self.ended), 0
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8 text") from None
        self.is_fresh = True
        return True

    def _error(self, words: str, at: int) -> ValueError:
        """In the words of the standard library, with the place in the whole file."""
        lines = self.text.count("\n", 0, at)
        column = at - self.text.rindex("\n", 0, at) if lines else self.column + at + 1
        return ValueError(f"{words}: line {self.lines + lines + 1} column {column} (char {self.characters + at})")
