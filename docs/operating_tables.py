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

UNITS = ("bytes", "characters", "connections", "days", "reports", "rows", "seconds")

# What is limited; a setting, or a constant of the code as module:NAME; what happens beyond it; its unit, if its name does not
# end with it.
LIMITS: dict[str, list[tuple[str, ...]]] = {
    "Requests of programs": [
        ("the body of one row, of feedback, to any other address", "irislib.api._config:ROW_BYTES", "413"),
        ("the body of a batch", "max_batch_bytes", "413"),
        ("of a batch in JSON, Parquet or Excel", "irislib.api._config:JSON_BATCH_BYTES", "413"),
        ("a Parquet or Excel batch, unpacked, as a multiple of that", "irislib.api._batch:UNPACKED_FACTOR", "413", "times"),
        ("the rows of a batch", "max_batch_rows", "413"),
        ("wrong rows of a batch with their problems in full", "max_batch_problem_rows", "for others their number alone"),
        ("unknown or repeated names in a request that a problem lists", "irislib.api._json_bodies:MAX_NAMES", "others are not listed", "names"),
        ("the answer to a batch", "max_batch_answer_bytes", "the answer is broken off; a line of the log"),
        ("the work on a batch", "max_batch_seconds", "the answer is broken off; a line of the log"),
        ("the first line of a request", "irislib._serving.raw_problems:MAX_REQUEST_LINE", "414", "bytes"),
        ("the headers of a request", "irislib._serving.http_server:MAX_FIELDS", "431", "headers"),
        ("one header", "irislib._serving.http_server:MAX_FIELD_BYTES", "431"),
        ("requests of one address", "rate_limit", "429 with `Retry-After`"),
        ("connections of one address", "max_connections_per_client", "503 with `Retry-After`; a line of the log"),
        ("a request to arrive, `irislib api`", "irislib._serving.gunicorn_worker:RECEIVE_SECONDS", "408"),
        ("a client that reads nothing of its answer, `irislib api`", "irislib._serving.client_socket:SEND_SECONDS", "the connection is closed"),
        ("a step of a client, such as the head of its request or a part of an answer, `irislib api` with `--certfile`", "irislib._serving.client_socket:SEND_SECONDS", "the connection is closed"),
        ("a client that reads nothing of its answer, `irislib serve`", "irislib._serving.http_connections:SEND_SECONDS", "the connection is closed"),
        ("silence within a body, workers `sync` and `gthread`", "irislib.api._body_stream:STALL_SECONDS", "408"),
        ("a request's head to arrive, `irislib serve`", "irislib._serving.http_connections:IDLE_SECONDS", "the connection is closed"),
        ("a body to arrive, `irislib serve`", "irislib._serving.http_connections:BODY_SECONDS", "the connection is closed"),
        ("a program to wait while a model is loaded or trained", "irislib._serving.endpoint_mixin:START_SECONDS", "503 with `Retry-After`"),
        ("the bytes of a refused body that are read", "irislib.api._body_stream:MAX_DRAINED_BYTES", "the connection is closed"),
        ("the note of a refresh", "irislib.api._refresh_views:MAX_NOTE", "422", "characters"),
        ("the note of a right answer", "irislib._modeling.feedback:MAX_NOTE", "422; on a page it is cut", "characters"),
    ],
    "Pages": [
        ("kernels of all visitors", "max_kernels", "a page with 503, which tries again by itself"),
        ("kernels of one address", "max_kernels_per_visitor", "the same, with another sentence"),
        ("memory that stays free", "memory_margin", "no kernel is started: as above"),
        ("memory of one kernel", "kernel_memory", "the kernel ends, and its page says so"),
        ("files that the server must be able to open for another page", "irislib._serving.system_limits:FILES_PER_PAGE", "no kernel is started: as above", "files"),
        ("and beside them", "irislib._serving.system_limits:FILES_IN_RESERVE", "the same", "files"),
        ("threads that must be free for another page", "irislib._serving.system_limits:THREADS_PER_PAGE", "the same", "threads"),
        ("a kernel without a page", "disconnected_timeout", "the kernel ends", "seconds"),
        ("a page's models are there until it opens unprepared", "irislib._serving.page_pool:MAX_WAIT_SECONDS", "it is run for each visitor"),
        ("what is worked out ahead for a page", "irislib._serving.page_pool:WARM_UP_SECONDS", "the rest when a visitor asks for it"),
        ("pages that are prepared in further languages", "irislib._serving.translated_pages:MAX_AHEAD", "others when a visitor asks for them", "pages"),
        ("a notebook's file", "irislib._serving.notebooks:MAX_NOTEBOOK_BYTES", "it is not opened; a line of the log"),
        ("what a notebook shows", "irislib._forkserver.notebook:MAX_PAGE_CHARACTERS", "it is run for each visitor"),
        ("files that a page sends at once", "max_upload_bytes", "the page says so"),
        ("a table in the tab *Table*", "irislib.widgets._csv_tab:MAX_FILE_BYTES", "the page says so"),
        ("a table file, unpacked", "irislib._modeling.table_files:UNPACKED_BYTES", "the page says so"),
        ("the rows of a table that are predicted again for its evaluation", "irislib.widgets._csv_evaluation:MAX_ROWS", "a sample is evaluated"),
        ("the rows of a table that a visitor asks for", "irislib.widgets._pieces:MAX_TABLE_ROWS", "the first ones are shown, and the page says so"),
        ("reports of feedback of one page", "irislib.widgets._feedback:MAX_REPORTS", "the page says so"),
        ("a file of feedback", "max_feedback_bytes", "the page says that it is full"),
        ("the objects and lists of a message to a kernel", "irislib._serving.websocket_limits:MAX_CONTAINERS", "it is dropped; a line of the log"),
        ("connections of one page", "irislib._serving.websocket_limits:MAX_CONNECTIONS", "one more is refused"),
        ("messages of a page", "irislib._serving.websocket_limits:FRAMES_PER_SECOND", "further ones wait", "a second"),
        ("bytes that wait for a busy kernel", "irislib._serving.websocket_limits:MAX_PENDING_BYTES", "no more of its page is read meanwhile"),
        ("bytes that a page does not read", "irislib._serving.websocket_limits:MAX_UNREAD_BYTES_OPEN", "the connection is closed; a line of the log", "bytes"),
        ("kept for a page whose connection is interrupted", "irislib._serving.kernel_manager:MAX_BUFFER_BYTES", "later messages are lost: the page has to be reloaded"),
        ("what a callback prints at once", "irislib._serving.callback_log:BURST_OF_CHARACTERS", "the rest is not in the log, which says so"),
    ],
    "Models and their versions": [
        ("versions of a model", "store_keep", "the oldest are deleted; a line of the log"),
        ("a file that no entry names", "irislib._store.versions:ABANDONED", "it is deleted by who publishes", "seconds"),
        ("to wait between two looks at a store that cannot be read", "irislib._modeling.following:MAX_SECONDS", "it is tried again"),
        ("of a sparse matrix in a model's file, unpacked", "irislib._modeling.trusted_types:MAX_BYTES", "the file is refused"),
        ("rows that two versions are compared on", "irislib._comparison.held_out:MOST", "a sample is compared", "rows"),
        ("training rows that are known again in later versions", "irislib._modeling.row_digests:MOST", "no digests are kept: no comparison on rows that neither was trained on", "rows"),
        ("training rows in a model's file", "irislib._modeling.training:SAMPLE", "a sample is kept", "rows"),
        ("problems that a refresh lists", "irislib._refresh.new_rows:MOST_PROBLEMS", "others are counted", "rows"),
        ("records of refreshes", "irislib._refresh.own_run:KEPT", "the oldest are deleted, but for the last one that was accepted", "refreshes"),
        ("memory of a refresh", "refresh_memory", "it fails, and says so"),
        ("rows that wait for a shadow", "irislib.api._candidate:MAX_WAITING", '`irislib_candidate_rows_total{outcome="dropped"}`', "rows"),
    ],
    "The prediction log": [
        ("all files", "prediction_log_bytes", "the oldest are deleted; a line of the log"),
        ("the least that it may be given", "irislib._prediction_log.options:MIN_BYTES", "the server does not start"),
        ("one file", "irislib._prediction_log.files:MAX_FILE_BYTES", "a new one is begun"),
        ("the age of a file", "prediction_log_days", "it is deleted; a line of the log"),
        ("rows of a batch", "prediction_log_batch_rows", '`irislib_prediction_log_entries_total{outcome="left_out"}`'),
        ("entries that wait to be written", "irislib._prediction_log.writer:MAX_WAITING", '`irislib_prediction_log_entries_total{outcome="lost"}`; a line of the log', "entries"),
        ("what waits when a server ends", "irislib._prediction_log.writer:END_SECONDS", "the rest is lost"),
        ("to wait between two uploads while a URL is away", "irislib._prediction_log.uploads:MAX_SECONDS", "it is tried again"),
        ("predictions that drift is computed of", "irislib._prediction_log.sample:MAX_ROWS", "a sample is taken"),
        ("predictions without which nothing is said of drift", "irislib._prediction_log.drift:FEWEST", "too few to tell", "rows"),
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
        rows = [[what, _number(where, *unit), _place(where), then] for what, where, then, *unit in limits]
        parts.append(f"### {title}\n\n" + _table(["limit", "default", "set by", "beyond it"], rows))
    return "\n".join(parts)


def _number(where: str, unit: str = "") -> str:
    last = where.rpartition("_")[2].lower()
    unit = unit or (last if last in UNITS else "")
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
