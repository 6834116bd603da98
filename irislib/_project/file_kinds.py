"""The kind of a file by its first bytes: those that are read, and a sentence for each that is not."""

from __future__ import annotations

import codecs
import re
import zipfile
from typing import TYPE_CHECKING

from irislib._common.messages.tables import OTHER_KINDS, TEXTS
from irislib._modeling.table_files import OLD_EXCEL
from irislib._project.csv_bytes import compression_of
from irislib._project.sql_source import MAGIC
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["kind_of"]

START_BYTES = 4096
PRINTED = bytes([*b"\t\n\r\f", 0x1A, *range(0x20, 0x100)])  # DOS ends texts with 0x1A
READ = {b"PAR1": "parquet", b"ARROW1": "feather", b"FEA1": "feather"}
PICKLES = (".pkl", ".pickle", ".joblib", ".p")
# The first bytes of files that are not read, and their entries in `OTHER_KINDS`.
REFUSED = {
    b"\x89HDF": "hdf5",
    b"$FL2": "spss",
    b"$FL3": "spss",
    b"HEADER RECORD": "sas",
    b"%PDF": "pdf",
    b"\x93NUMPY": "numpy",
    b"RDX": "r",
    b"RDA": "r",
    b"version https://git-lfs": "lfs",
    b"7z\xbc\xaf": "archive",
    b"Rar!": "archive",
    b"Obj\x01": "avro",
    b"ORC": "orc",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"GIF8": "image",
}
_STATA = re.compile(rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01\x00")


def kind_of(path: Path) -> str:
    """Return ``csv``, ``excel``, ``parquet``, ``feather``, ``stata``, ``json`` or ``jsonl``.

    Raises
    ------
    DataError
        If it is a kind that is not read, with what to do.
    """
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    for magic, kind in READ.items():
        if start.startswith(magic):
            return kind
    if start.startswith(OLD_EXCEL):
        raise DataError(TEXTS["old_excel"].format(path=path))
    if start.startswith(MAGIC):
        raise DataError(TEXTS["needs_sql"].format(path=path))
    if path.suffix.lower() in PICKLES or re.match(rb"\x80[\x02-\x05]", start):
        raise DataError(TEXTS["pickle"].format(path=path, name=path.name, stem=path.stem))
    if any(path.name.lower().endswith(suffix) for suffix in (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")):
        raise _refusal(path, "archive")
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    for magic, kind in REFUSED.items():
        if start.startswith(magic):
            raise _refusal(path, kind)
    if _STATA.match(start) and (path.suffix.lower() == ".dta" or start.startswith(b"<")):
        return "stata"
    return _kind_of_text(path, start)


def _refusal(path: Path, kind: str) -> DataError:
    title, advice = OTHER_KINDS[kind]
    return DataError(TEXTS["kind"].format(path=path, kind=title, advice=advice.format(name=path.name, stem=path.stem)))


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise DataError(TEXTS["damaged"].format(path=path, kind="a zip file", error=error)) from error
    if "xl/workbook.xml" in names:
        return "excel"
    if "xl/workbook.bin" in names:
        raise _refusal(path, "xlsb")
    if "mimetype" in names or "[Content_Types].xml" in names or "Index/Document.iwa" in names:
        raise _refusal(path, "document")
    return "csv"


def _kind_of_text(path: Path, start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = text[:200].lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<table", b"<!doctype")):
        raise _refusal(path, "html")
    if lower.startswith(b"<?xml"):
        raise _refusal(path, "xml")
    if re.match(rb"(%.*\n|\s)*@relation\b", text, re.IGNORECASE):
        raise _refusal(path, "arff")
    if re.match(rb"\[\s*[{\[]", text):
        return "json"
    if re.match(rb'\{\s*"', text):
        return "jsonl" if re.match(rb"\{.*\}\s*(\n|$)", text) else "json"
    if not compression_of(start) and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        zeros = max(start[::2].count(0), start[1::2].count(0))
        controls = len(start.translate(None, delete=PRINTED)) - start.count(0)
        if controls > len(start) / 100 or 0 < zeros < len(start) / 4:  # not UTF-16 either
            raise DataError(TEXTS["binary"].format(path=path))
    return "csv"
