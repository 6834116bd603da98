"""The arguments of `pandas.read_csv` that say where a table is in its file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from irislib._common.formatting import short_repr
from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.csv_bytes import SUFFIXES
from irislib._project.csv_dialect import SPACES
from irislib._project.csv_quotes import has_other_backslashes
from irislib._project.table_code import Source
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from irislib._project.csv_bytes import CsvBytes
    from irislib._project.csv_dialect import Dialect
    from irislib._project.table_code import TableCode

__all__ = ["add_layout", "has_index", "note_left_out", "offset_of"]

SIGNS = {";": "Semicolons", "\t": "Tabs", "|": "Vertical bars", SPACES: "Spaces"}
ENCODINGS = {"cp1252": "Windows-1252", "utf-32": "UTF-32", "utf-16": "UTF-16"}


def offset_of(code: TableCode, dialect: Dialect) -> int:
    """Return the position of the first column in the rows: 1 if there is an index before it."""
    if "index_col" in code.arguments:
        return int(has_index(code))
    return int(dialect.header is not None and len(dialect.rows[0][1]) > len(dialect.header))


def has_index(code: TableCode) -> bool:
    """Return whether the first column is read as the index."""
    return code.arguments.get("index_col", False) is not False


def add_layout(code: TableCode, content: CsvBytes, dialect: Dialect, path: Path) -> None:
    """Add the arguments about the file and its lines, and the notes on them."""
    arguments, notes = code.arguments, code.notes
    if dialect.delimiter != ",":
        arguments["sep"] = Source('r"\\s+"') if dialect.delimiter == SPACES else dialect.delimiter
        notes.append(NOTES["delimiter"].format(signs=SIGNS.get(dialect.delimiter, repr(dialect.delimiter))))
    if content.encoding not in ("utf-8", "utf-8-sig"):
        arguments["encoding"] = content.encoding
        name = ENCODINGS.get(content.encoding.removesuffix("-le").removesuffix("-be"), content.encoding)
        notes.append(NOTES["encoding"].format(encoding=name, example=_example(content)))
    if content.compression and not content.is_inferred:
        arguments["compression"] = content.compression
        notes.append(NOTES["compression"].format(name=content.compression))
    elif not content.compression and path.suffix.lower() in SUFFIXES:
        arguments["compression"] = None
        notes.append(NOTES["compression"].format(name="not at all"))
    _add_quotes(code, content, dialect, path)
    if dialect.units:
        arguments["skiprows"] = [*range(dialect.skipped), dialect.units[0] - 1]
    elif dialect.skipped:
        arguments["skiprows"] = dialect.skipped
    if dialect.titles:
        notes.append(note_left_out("titles", dialect.titles))
    if dialect.header is None:
        arguments["header"] = None
        code.method = '.add_prefix("column_")'
        last = f"column_{dialect.width - 1}"
        notes.append(NOTES["no_header"].format(first="column_0", last=last))
    if dialect.is_spaced:
        arguments["skipinitialspace"] = True
        notes.append(NOTES["spaces"])
    _add_comments(code, content, dialect)
    _add_index(code, dialect)
    _add_widths(code, dialect, path)
    _add_footer(code, content, dialect)


def _add_quotes(code: TableCode, content: CsvBytes, dialect: Dialect, path: Path) -> None:
    quotes = dialect.quotes
    if has_other_backslashes(content.head, quotes):
        raise DataError(TEXTS["backslashes"].format(path=path, sign=quotes.sign))
    if quotes.sign != '"':
        code.arguments["quotechar"] = quotes.sign
        code.notes.append(NOTES["quotes"])
    if quotes.escape:
        code.arguments["escapechar"] = quotes.escape
        code.notes.append(NOTES["escapes"])


def _example(content: CsvBytes) -> str:
    """Return a word that shows whether an encoding that was guessed is the right one."""
    if content.encoding.startswith("utf"):
        return ""
    candidates = re.finditer(r"[^\W\d_]+", content.head)
    word = next((match[0] for match in candidates if not match[0].isascii()), "")
    return NOTES["encoding.example"].format(word=word) if word else ""


def note_left_out(key: str, lines: list[str]) -> str:
    """Return the note on lines above or below a table, by its key."""
    count = "One line" if len(lines) == 1 else f"{len(lines)} lines"
    text = next((line for line in lines if line), "")
    return NOTES[key].format(count=count, are="is" if len(lines) == 1 else "are", first=short_repr(text))


def _add_comments(code: TableCode, content: CsvBytes, dialect: Dialect) -> None:
    if not dialect.has_comments:
        return
    if content.hashes == content.comments and not (dialect.header and dialect.header[0].startswith("#")):
        code.arguments["comment"] = "#"
        code.notes.append(NOTES["comments"])


def _add_index(code: TableCode, dialect: Dialect) -> None:
    """Leave out a column without a name that numbers the rows, and an empty one behind the last sign."""
    header, rows = dialect.header, [row for _, row in dialect.rows]
    if header is None:
        return
    if len(rows[0]) == len(header) + 1:
        if all(not row[-1].strip() for row in rows if len(row) > len(header)):
            code.arguments["index_col"] = False
            code.notes.append(NOTES["trailing"])
        else:
            code.notes.append(NOTES["row_names"])
        return
    first = [row[0].strip() for row in rows if row]
    is_unnamed = header[0].strip() in ("", "Unnamed: 0", "rownames") and len(header) > 2 and header[-1].strip() != ""
    if is_unnamed and len(set(first)) == len(first) > 1 and "" not in first:
        code.arguments["index_col"] = 0


def _add_widths(code: TableCode, dialect: Dialect, path: Path) -> None:
    """Leave out empty cells behind the last column; refuse rows with more values than columns."""
    width = dialect.width + (offset_of(code, dialect) if "index_col" not in code.arguments else 0)
    width += code.arguments.get("index_col") is False
    long = [(line, row) for line, row in dialect.rows if len(row) > width]
    short = [line for line, row in dialect.rows if len(row) < width]
    for line, row in long:
        if any(cell.strip() for cell in row[width:]):
            facts = {"given": len(row), "wanted": width, "sign": dialect.delimiter}
            raise DataError(TEXTS["long_row"].format(path=path, line=line, **facts))
    if long:
        code.arguments["usecols"] = Source(f"range({width})")
        code.notes.append(NOTES["extra"])
    if short:
        code.notes.append(NOTES["short"].format(line=short[0]))


def _add_footer(code: TableCode, content: CsvBytes, dialect: Dialect) -> None:
    if not dialect.footer_lines:
        return
    code.arguments["skipfooter"] = dialect.footer_lines
    code.arguments["engine"] = "python"
    code.notes.append(note_left_out("footer", dialect.footer) if dialect.footer else NOTES["empty_rows"])
