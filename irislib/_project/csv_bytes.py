"""The bytes of a CSV file: its compression, its encoding, and what can be seen in passing over all of them."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from irislib._common.messages.tables import TEXTS
from irislib._modeling.csv_text import encoding_of, is_windows_1252
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CsvBytes", "compression_of", "open_bytes", "scan"]

COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}
BLOCK_BYTES = 1 << 20
TAIL_BYTES = 1 << 16
OTHERS = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1252", "cp850", "mac_roman", "cp932", "gb18030", "big5", "euc_kr")


@dataclass(frozen=True)
class CsvBytes:
    """The facts that the bytes of a CSV file show.

    Attributes
    ----------
    compression : str or None
        As `pandas.read_csv` takes it.
    is_inferred : bool
        True if pandas finds the compression by the name of the file.
    encoding : str
    head, tail : str
        The first and the last lines, whole ones.
    is_whole : bool
        True if the file has no more lines than the first ones.
    hashes, comments : int
        How often ``#`` is in it, and how often at the beginning of a line.
    """

    compression: str | None
    is_inferred: bool
    encoding: str
    head: str
    tail: str
    is_whole: bool
    hashes: int
    comments: int


def compression_of(start: bytes) -> str | None:
    """Return the compression of a file by its first bytes."""
    return next((name for magic, name in COMPRESSIONS.items() if start.startswith(magic)), None)


def open_bytes(path: Path, compression: str | None) -> IO[bytes]:
    """Open a file, and unpack it in passing."""
    if compression is None:
        return path.open("rb")
    if compression == "zip":
        return _open_member(path)
    if compression == "zstd":
        raise DataError(TEXTS["kind"].format(path=path, kind="compressed by zstd", advice="Unpack it first: unzstd."))
    openers: dict[str, Any] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return cast(IO[bytes], openers[compression](path, "rb"))


def _open_member(path: Path) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1:
        names = ", ".join(info.filename for info in members[:5])
        raise DataError(TEXTS["members"].format(path=path, count=len(members), names=names or "none"))
    if members[0].flag_bits & 1:
        raise DataError(TEXTS["encrypted"].format(path=path))
    return archive.open(members[0])


def scan(path: Path, named: str = "") -> CsvBytes:
    """Read all bytes of a CSV file, and return what is in them.

    Parameters
    ----------
    path : Path
    named : str
        Its encoding, if somebody has named it.

    Raises
    ------
    DataError
        If the encoding is not certain, or not the one that is named.
    """
    with path.open("rb") as raw:
        compression = compression_of(raw.read(8))
    with open_bytes(path, compression) as file:
        head = file.read(BLOCK_BYTES)
        encoding = named or _marked_encoding(head)
        decoder = _decoder(path, encoding)
        block, tail, hashes, comments, size = head, b"", 0, 0, 0
        while block:
            size += len(block)
            if decoder:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    if named:
                        raise DataError(TEXTS["not_encoding"].format(path=path, encoding=named)) from error
                    decoder, encoding = None, encoding or "cp1252"
            if b"#" in block:
                hashes += block.count(b"#")
                is_first = size == len(block) and block[:1] == b"#"
                comments += len(re.findall(rb"[\r\n]#", tail[-1:] + block)) + is_first
            tail = (tail + block)[-TAIL_BYTES:]
            block = file.read(BLOCK_BYTES)
    if encoding == "cp1252" != named:
        _require_windows_1252(path, compression, head)
    encoding = encoding or "utf-8"
    is_whole = size <= BLOCK_BYTES
    is_inferred = compression is not None and SUFFIXES.get(path.suffix.lower()) == compression
    text = _decode(head, encoding)
    return CsvBytes(
        compression,
        is_inferred,
        encoding,
        text if is_whole else text[: text.rfind("\n") + 1] or text,
        text if is_whole else _decode(tail, _without_mark(encoding, head), is_end=True),
        is_whole,
        hashes,
        comments,
    )


def _decoder(path: Path, encoding: str) -> codecs.IncrementalDecoder | None:
    """Return the decoder of an encoding, of UTF-8 if it is not known; None for one that a mark says."""
    try:
        "x".encode(encoding or "utf-8")
    except (LookupError, ValueError) as error:
        raise DataError(TEXTS["no_encoding"].format(path=path, encoding=encoding)) from error
    has_mark = encoding.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
    return None if has_mark else codecs.getincrementaldecoder(encoding or "utf-8")()


def _require_windows_1252(path: Path, compression: str | None, head: bytes) -> None:
    """Raise an error that lists other encodings if text does not look like Windows-1252."""
    with open_bytes(path, compression) as file:
        if is_windows_1252(iter(lambda: file.read(BLOCK_BYTES), b"")):
            return
    samples: dict[str, str] = {}
    for encoding in OTHERS:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        matches = (match[0] for match in re.finditer(r"\w+", text) if not match[0].isascii())
        if word := next(matches, ""):
            samples.setdefault(word[:20], encoding)
    listed = ", ".join(f"{word} in {encoding}" for word, encoding in samples.items())
    raise DataError(TEXTS["encoding"].format(path=path, words=listed or "none"))


def _marked_encoding(head: bytes) -> str:
    """Return the encoding by a byte order mark, or by the zeros that UTF-16 has in Latin text; empty if unknown."""
    encoding, mark = encoding_of(io.BytesIO(head))
    if mark:
        return encoding
    start = head[:1000]
    if start.count(b"\0") > len(start) / 4:
        return "utf-16-le" if start[1::2].count(b"\0") > start[::2].count(b"\0") else "utf-16-be"
    return ""


def _without_mark(encoding: str, head: bytes) -> str:
    """Return the encoding of what does not begin with the byte order mark of the file."""
    if encoding != "utf-16":
        return encoding
    return "utf-16-be" if head.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"


def _decode(content: bytes, encoding: str, is_end: bool = False) -> str:
    if is_end and encoding.startswith("utf-16") and len(content) % 2:
        content = content[1:]
    text = content.decode("utf-8" if encoding == "utf-8-sig" else encoding, "replace").removeprefix("\ufeff")
    return text[text.find("\n") + 1 :] if is_end else text
