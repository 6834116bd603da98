"""The tables of docs/operating.md: settings, metrics, lines of the log, and limits."""

# ruff: noqa: E501 - a row of a table is easier to read in one line

from __future__ import annotations

import importlib
from collections.abc import Callable

import log_lines
from log_advice import ADVICE

from irislib._common.metrics import reference_table
from irislib._common.settings import SETTINGS, readable, reference_tables

__all__ = ["LIMITS", "TABLES"]

# What is limited; a setting, or a constant of the code as module:NAME; its unit; what happens beyond it.
LIMITS: dict[str, list[tuple[str, str, str, str]]] = {
    "Requests of programs": [
        ("the body of one row, of feedback", "irislib.api._config:ROW_BYTES", "bytes", "413"),
        ("the body of a batch", "max_batch_bytes", "bytes", "413"),
        ("of a batch in JSON, Parquet or Excel", "irislib.api._config:JSON_BATCH_BYTES", "bytes", "413"),
        ("a Parquet or Excel batch, unpacked, as a multiple of that", "irislib.api._batch:UNPACKED_FACTOR", "times",
         "413"),
        ("the rows of a batch", "max_batch_rows", "rows", "413"),
        ("wrong rows of a batch with their problems in full", "max_batch_problem_rows", "rows",
         "for others their number alone"),
        ("unknown columns that a problem names", "irislib.api._batch:MAX_UNKNOWN_COLUMNS", "names", "others are counted"),
        ("the answer to a batch", "max_batch_answer_bytes", "bytes", "the answer is broken off; a line of the log"),
        ("the work on a batch", "max_batch_seconds", "seconds", "the answer is broken off; a line of the log"),
        ("the first line of a request", "irislib._serving.raw_problems:MAX_REQUEST_LINE", "bytes", "414"),
        ("the headers of a request", "irislib._serving.http_server:MAX_FIELDS", "headers", "431"),
        ("one header", "irislib._serving.http_server:MAX_FIELD_BYTES", "bytes", "431"),
        ("requests of one address", "rate_limit", "", "429 with `Retry-After`"),
        ("connections of one address", "max_connections_per_client", "", "503 with `Retry-After`; a line of the log"),
        ("a request to arrive, `irislib api`", "irislib._serving.gunicorn_worker:RECEIVE_SECONDS", "seconds", "408"),
        ("silence within a body, workers `sync` and `gthread`", "irislib.api._body_stream:STALL_SECONDS", "seconds",
         "408"),
        ("a request's head to arrive, `irislib serve`", "irislib._serving.http_connections:IDLE_SECONDS", "seconds",
         "the connection is closed"),
        ("a body to arrive, `irislib serve`", "irislib._serving.http_connections:BODY_SECONDS", "seconds",
         "the connection is closed"),
        ("a program to wait while a model is loaded or trained", "irislib._serving.handlers:START_SECONDS", "seconds",
         "503 with `Retry-After`"),
        ("the bytes of a refused body that are read", "irislib.api._body_stream:MAX_DRAINED_BYTES", "bytes",
         "the connection is closed"),
        ("the note of a refresh", "irislib.api._refresh_views:MAX_NOTE", "characters", "422"),
        ("the note of a right answer", "irislib._modeling.feedback:MAX_NOTE", "characters", "422; on a page it is cut"),
    ],
    "Pages": [
        ("kernels of all visitors", "max_kernels", "", "a page with 503, which tries again by itself"),
        ("kernels of one address", "max_kernels_per_visitor", "", "the same, with another sentence"),
        ("memory that stays free", "memory_margin", "", "no kernel is started: as above"),
        ("memory of one kernel", "kernel_memory", "", "the kernel ends, and its page says so"),
        ("files that the server must be able to open for another page", "irislib._serving.system_limits:FILES_PER_PAGE",
         "files", "no kernel is started: as above"),
        ("and beside them", "irislib._serving.system_limits:FILES_IN_RESERVE", "files", "the same"),
        ("threads that must be free for another page", "irislib._serving.system_limits:THREADS_PER_PAGE", "threads",
         "the same"),
        ("a kernel without a page", "disconnected_timeout", "seconds", "the kernel ends"),
        ("a page's models are there until it opens unprepared", "irislib._serving.page_pool:MAX_WAIT_SECONDS", "seconds",
         "it is run for each visitor"),
        ("what is worked out ahead for a page", "irislib._serving.page_pool:WARM_UP_SECONDS", "seconds",
         "the rest when a visitor asks for it"),
        ("pages that are prepared in further languages", "irislib._serving.translated_pages:MAX_AHEAD", "pages",
         "others when a visitor asks for them"),
        ("a notebook's file", "irislib._serving.notebooks:MAX_NOTEBOOK_BYTES", "bytes", "it is not opened; a line of the log"),
        ("what a notebook shows", "irislib._forkserver.notebook:MAX_PAGE_CHARACTERS", "characters",
         "it is run for each visitor"),
        ("files that a page sends at once", "max_upload_bytes", "bytes", "the page says so"),
        ("a table in the tab *Table*", "irislib.widgets._csv_tab:MAX_FILE_BYTES", "bytes", "the page says so"),
        ("a table file, unpacked", "irislib._modeling.table_files:UNPACKED_BYTES", "bytes", "the page says so"),
        ("the rows of a table that are predicted again for its evaluation", "irislib.widgets._csv_evaluation:MAX_ROWS",
         "rows", "a sample is evaluated"),
        ("the rows of a table that a visitor asks for", "irislib.widgets._blocks:MAX_TABLE_ROWS", "rows",
         "the first ones are shown, and the page says so"),
        ("reports of feedback of one page", "irislib.widgets._feedback:MAX_REPORTS", "reports", "the page says so"),
        ("a file of feedback", "max_feedback_bytes", "bytes", "the page says that it is full"),
        ("the objects and lists of a message to a kernel", "irislib._serving.websocket_limits:MAX_CONTAINERS", "",
         "it is dropped; a line of the log"),
        ("connections of one page", "irislib._serving.websocket_limits:MAX_CONNECTIONS", "connections",
         "one more is refused"),
        ("messages of a page", "irislib._serving.websocket_limits:FRAMES_PER_SECOND", "a second",
         "further ones wait"),
        ("bytes that wait for a busy kernel", "irislib._serving.websocket_limits:MAX_PENDING_BYTES", "bytes",
         "no more of its page is read meanwhile"),
        ("bytes that a page does not read", "irislib._serving.websocket_limits:MAX_UNREAD_BYTES_OPEN", "bytes",
         "the connection is closed; a line of the log"),
        ("kept for a page whose connection is interrupted", "irislib._serving.kernel_manager:MAX_BUFFER_BYTES", "bytes",
         "later messages are lost: the page has to be reloaded"),
        ("what a callback prints at once", "irislib._serving.callback_log:BURST_OF_CHARACTERS", "characters",
         "the rest is not in the log, which says so"),
    ],
    "Models and their versions": [
        ("versions of a model", "store_keep", "", "the oldest are deleted; a line of the log"),
        ("a file that no entry names", "irislib._store.versions:ABANDONED", "seconds", "it is deleted by who publishes"),
        ("to wait between two looks at a store that cannot be read", "irislib._modeling.following:MAX_SECONDS",
         "seconds", "it is tried again"),
        ("of a sparse matrix in a model's file, unpacked", "irislib._modeling.trusted_types:MAX_BYTES", "bytes",
         "the file is refused"),
        ("rows that two versions are compared on", "irislib._comparison.held_out:MOST", "rows", "a sample is compared"),
        ("training rows that are known again in later versions", "irislib._modeling.row_digests:MOST", "rows",
         "no digests are kept: no comparison on rows that neither was trained on"),
        ("training rows in a model's file", "irislib._modeling.training:SAMPLE", "rows", "a sample is kept"),
        ("problems that a refresh lists", "irislib._refresh.new_rows:MOST_PROBLEMS", "rows", "others are counted"),
        ("records of refreshes", "irislib._refresh.own_run:KEPT", "refreshes", "the oldest are deleted"),
        ("memory of a refresh", "refresh_memory", "", "it fails, and says so"),
        ("rows that wait for a shadow", "irislib.api._candidate:MAX_WAITING", "rows",
         '`irislib_candidate_rows_total{outcome="dropped"}`'),
    ],
    "The prediction log": [
        ("all files", "prediction_log_bytes", "bytes", "the oldest are deleted; a line of the log"),
        ("the least that it may be given", "irislib._prediction_log.options:MIN_BYTES", "bytes", "the server does not start"),
        ("one file", "irislib._prediction_log.files:MAX_FILE_BYTES", "bytes", "a new one is begun"),
        ("the age of a file", "prediction_log_days", "days", "it is deleted; a line of the log"),
        ("rows of a batch", "prediction_log_batch_rows", "rows",
         '`irislib_prediction_log_entries_total{outcome="left_out"}`'),
        ("entries that wait to be written", "irislib._prediction_log.writer:MAX_WAITING", "entries",
         '`irislib_prediction_log_entries_total{outcome="lost"}`; a line of the log'),
        ("what waits when a server ends", "irislib._prediction_log.writer:END_SECONDS", "seconds", "the rest is lost"),
        ("to wait between two uploads while a URL is away", "irislib._prediction_log.uploads:MAX_SECONDS", "seconds",
         "it is tried again"),
        ("predictions that drift is computed of", "irislib._prediction_log.sample:MAX_ROWS", "rows", "a sample is taken"),
        ("predictions without which nothing is said of drift", "irislib._prediction_log.drift:FEWEST", "rows",
         "too few to tell"),
    ],
}  # fmt: skip


def log_table() -> str:
    """Return the lines of the log: first those that say that something is wrong."""
    worst = [line for line in log_lines.lines() if line.level != "info"]
    rows = [[line.level, _shown(line), _advice(line)] for line in worst]
    usual = [[_shown(line)] for line in log_lines.lines() if line.level == "info"]
    return (
        _table(["level", "line, and its logger", "what to do"], rows)
        + "\nOf level `info`, which says what goes as it should:\n\n"
        + _table(["line, and its logger"], usual)
    )


def _shown(line: log_lines.Line) -> str:
    return f"{line.text}<br>`{line.module}`".replace("|", "\\|").replace("*", "\\*")


def _advice(line: log_lines.Line) -> str:
    return next((advice for begin, advice in ADVICE.items() if line.text.startswith(begin)), "")


def limits_table() -> str:
    """Return what is refused or cut off, from which number on."""
    parts = []
    for title, limits in LIMITS.items():
        rows = [[what, _number(where, unit), _place(where), then] for what, where, unit, then in limits]
        parts.append(f"### {title}\n\n" + _table(["limit", "default", "set by", "beyond it"], rows))
    return "\n".join(parts)


def _number(where: str, unit: str) -> str:
    if ":" not in where:
        setting = SETTINGS[where]
        other = "" if setting.serve_default is None else f"; `irislib serve`: {_readable(setting.serve_default)}"
        return setting.default_text or f"{_readable(setting.default)} {unit}".strip() + other
    module, name = where.split(":")
    return f"{_readable(getattr(importlib.import_module(module), name))} {unit}".strip()


def _readable(value: float) -> str:
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}" if value > 9_999 else readable(value)


def _place(where: str) -> str:
    if ":" in where:
        return "the code"
    setting = SETTINGS[where]
    return ", ".join(f"`{name}`" for name in (_option(where), setting.variable) if name)


def _option(name: str) -> str:
    setting = SETTINGS[name]
    return setting.option if setting.api else setting.serve_option


def _table(head: list[str], rows: list[list[str]]) -> str:
    body = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n{body}"


TABLES: dict[str, Callable[[], str]] = {
    "settings": reference_tables,
    "metrics": reference_table,
    "log": log_table,
    "limits": limits_table,
}
