"""Queries of databases, and the code that asks them again without any password in it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.other_files import finish
from irislib._project.table_code import TableCode, literal
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAGIC", "QUERY", "VARIABLE", "content_of", "read_query", "sqlite_file"]

QUERY = "query = "  # as the code begins
VARIABLE = "DATABASE_URL"  # of the environment
SQLALCHEMY = "sqlalchemy>=2"
MAGIC = b"SQLite format 3\0"
WAL_VERSIONS = b"\2\2"  # at byte 18: https://www.sqlite.org/fileformat.html
# The packages that SQLAlchemy's drivers come in.
DRIVERS = {"psycopg2": "psycopg2-binary", "psycopg": "psycopg[binary]", "pymysql": "pymysql", "pyodbc": "pyodbc"}
DRIVERS |= {"oracledb": "oracledb", "mysqldb": "mysqlclient", "asyncpg": "asyncpg", "duckdb_engine": "duckdb-engine"}


@dataclass
class QueryCode(TableCode):
    """The Python that asks a database.

    Attributes
    ----------
    query : str
    is_file : bool
        True for a file of SQLite; else the address is in the environment.
    """

    query: str = ""
    is_file: bool = False

    def source(self) -> str:
        """Return statements that make ``data``; with ``data =`` before them they do the same."""
        lines = [f"{QUERY}{_text(self.query)}"]
        if self.is_file:
            lines += [
                "with contextlib.closing(sqlite3.connect(DATA)) as database:",
                "    data = pd.read_sql(query, database)",
            ]
        else:
            lines += [f'data = pd.read_sql(query, os.environ["{VARIABLE}"])']
        return "\n".join([*lines, *self.lines])


def _text(query: str) -> str:
    if "\n" not in query or '"""' in query or "\\" in query or query.endswith('"'):
        return literal(query)
    return f'"""{query}"""'


def sqlite_file(address: str) -> Path | None:
    """Return the file of a database of SQLite by its address or path, or None if it is another database."""
    if "://" not in address:
        return Path(address).expanduser()
    scheme, _, rest = address.partition("://")
    if scheme.partition("+")[0] != "sqlite" or not rest.startswith("/"):
        return None
    return Path(rest[1:].partition("?")[0]).expanduser()


def read_query(address: str, query: str) -> tuple[QueryCode, pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Return the code that asks a database, the table, and the imports and packages of the code.

    Raises
    ------
    DataError
        If it cannot be asked, or returns no rows.
    """
    query = query.strip().rstrip(";").rstrip()
    path = sqlite_file(address)
    code = QueryCode("read_sql", query=query, is_file=path is not None)
    imports: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    if path is not None:
        data = _read_sqlite(path, query)
        imports = ("import contextlib", "import sqlite3")
        code.notes.append(NOTES["sqlite"])
    else:
        data, requirements = _read_address(address, query)
        imports = ("import os",)
        code.notes.append(NOTES["environment"].format(variable=VARIABLE))
    if not len(data):
        raise DataError(TEXTS["no_rows"])
    return code, finish(code, data, "The query"), imports, requirements


def _read_sqlite(path: Path, query: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with _open(path) as database:
            return pd.read_sql(query, database)
    except (sqlite3.Error, pd.errors.DatabaseError, TypeError) as error:
        raise DataError(TEXTS["sql"].format(error=_reason(error, query))) from error


def _open(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """Open a database for reading alone."""
    return contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True))


def content_of(path: Path) -> bytes:
    """Return the content of a file, which may be a database of SQLite.

    One with a write-ahead log, whose last changes are in a second file, is copied into one file that needs none: it
    could not be read where its folder cannot be written.

    Raises
    ------
    DataError
        If it cannot be copied.
    """
    content = path.read_bytes()
    if not content.startswith(MAGIC) or content[18:20] != WAL_VERSIONS:
        return content
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        try:
            with _open(path) as database, contextlib.closing(sqlite3.connect(copy)) as target:
                database.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise DataError(TEXTS["sql_copy"].format(path=path, error=error)) from error
        return copy.read_bytes()


def _read_address(address: str, query: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    try:
        import sqlalchemy
    except ImportError as error:
        facts = {"kind": "a database", "package": "SQLAlchemy", "requirement": SQLALCHEMY}
        raise DataError(TEXTS["package"].format(**facts)) from error
    try:
        url = sqlalchemy.make_url(address)
        engine = sqlalchemy.create_engine(url)
    except ImportError as error:
        module = str(error.name)
        facts = {"kind": "this database", "package": module, "requirement": DRIVERS.get(module, module)}
        raise DataError(TEXTS["package"].format(**facts)) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise DataError(TEXTS["sql_url"]) from error
    try:
        data = pd.read_sql(query, engine)
    except Exception as error:
        reason = _reason(error, query)
        raise DataError(TEXTS["sql"].format(error=reason.replace(url.password or "\0", "***"))) from None
    finally:
        engine.dispose()
    driver = DRIVERS.get(engine.dialect.driver)
    return data, (SQLALCHEMY, *([driver] if driver else []))


def _reason(error: Any, query: str) -> str:
    """Return the message of an error without the query."""
    text = str(getattr(error, "orig", None) or error.__cause__ or error)
    return " ".join(text.replace(query, "").split())[:300]
