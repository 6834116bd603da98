"""The tasks of `irislib score`, which workers of a cluster do."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

from distributed import WorkerPlugin, get_worker

from irislib._compiled import single_threaded
from irislib._distributed.freed_memory import keep_freed_memory
from irislib._distributed.packed_model import PackedModel
from irislib._distributed.places import COMPRESSIONS, Output, is_storage_error, open_input
from irislib._distributed.plan import Part, finish
from irislib._distributed.scored_tables import WrongRows, score_csv, score_parquet
from irislib.errors import IrislibError

__all__ = ["ModelPlugin", "score_part"]

REPORT_SECONDS = 0.5
MEMORY_BYTES = 1 << 20  # of wrong rows; more of them are kept in a file

Report = Callable[[int, float], None]


class ModelPlugin(WorkerPlugin):
    """The model of a run, in each worker, also in those that come later.

    Parameters
    ----------
    model : PackedModel
    """

    def __init__(self, model: PackedModel):
        self.model = model
        self.name = name_of(model.digest)

    def setup(self, worker: Any) -> None:
        """Read the model at the worker's start, for it may not be able to."""
        self.model.load()


def name_of(digest: str) -> str:
    """Return the name of a model's plugin."""
    return f"irislib-model-{digest}"


def score_part(part: Part, out: Output, digest: str, encoding: str, topic: str) -> dict[str, Any]:
    """Score a part of the tables, and return how many rows it has, or why it cannot be scored.

    Parameters
    ----------
    part : Part
    out : Output
    digest : str
        Of the model's file.
    encoding : str
    topic : str
        Of the events that say how far it is.
    """
    worker: Any = get_worker()
    model = worker.plugins[name_of(digest)].model.load()
    reported = [time.monotonic(), 0]

    def report(rows: int, fraction: float) -> None:
        reported[1] += rows
        if time.monotonic() - reported[0] > REPORT_SECONDS:
            reported[0] = time.monotonic()
            worker.log_event(topic, {"part": part.output, "rows": reported[1], "fraction": fraction})

    try:
        return write_scores(model, part, out, encoding, report)
    except Exception as error:
        text = str(error) or type(error).__name__
        is_of_table = isinstance(error, IrislibError | EOFError | ValueError)  # pyarrow's errors are ValueErrors, too
        if not is_of_table and not is_storage_error(error):
            raise
        if not is_of_table and part.file.url[:5] != "file:":  # a network that fails is tried again
            raise OSError(text) from None  # an error of another library need not be there where this one is read
        return {"error": text}


def write_scores(model: Any, part: Part, out: Output, encoding: str, report: Report) -> dict[str, Any]:
    """Write the results of a part, then the note that it is done, and return what is noted."""
    rows = 0
    wrong = WrongRows(part.file.name, "line" if part.file.kind == "csv" else "row")
    with (
        keep_freed_memory(),
        single_threaded(),  # an estimator's own threads would have the cores of other workers
        open_input(part.file) as source,
        tempfile.SpooledTemporaryFile(MEMORY_BYTES) as errors,
        out.new_file(part.output) as target,
        _packed(target, part) as file,
    ):
        if part.file.kind == "csv":
            size = source.seek(0, 2)
            source.seek(0)
            scored = score_csv(model, source, wrong, encoding, size)
        else:
            scored = score_parquet(model, source, file, wrong, part.groups, part.first_row)
        for count, content, fraction in scored:
            if content is not None:
                file.write(content)
            errors.write(wrong.take())
            rows += count
            report(count, fraction)
        if wrong.count:  # it is there before the results are
            errors.seek(0)
            with out.new_file(part.errors) as listed:
                shutil.copyfileobj(errors, listed)
    return finish(out, part, rows, wrong.count)


@contextlib.contextmanager
def _packed(target: IO[bytes], part: Part) -> Any:
    """Compress what is written as the table itself is."""
    if part.file.kind == "parquet" or not part.file.packing:
        yield target
        return
    from fsspec.compression import compr

    with compr[COMPRESSIONS[part.file.packing.lower()]](target, mode="wb") as packed:
        yield packed
