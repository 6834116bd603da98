"""Score tables that are larger than memory: each once, on all workers of a cluster, and go on after an interruption."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, TextIO

from irislib._common import file_locks
from irislib._common.formatting import format_duration
from irislib._common.messages.scoring import TEXTS
from irislib._distributed import plan as plans
from irislib._distributed.cluster import connect
from irislib._distributed.packed_model import PackedModel, pack
from irislib._distributed.places import PRIVATE, Output, find_inputs, storage_errors
from irislib._distributed.plan import Part, Plan
from irislib._refresh.progress_line import ProgressLine
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from distributed import Client

    from irislib._modeling.model import Model

__all__ = ["Outcome", "score_files"]

SMALL_BYTES = 1_000_000  # of a table that is scored sooner than a process is started, which takes 2 seconds of CPU
TRIES = 3  # of a part, if the network or a worker fails
TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0  # between two lines about the progress


@dataclass
class Outcome:
    """The result of a run.

    Attributes
    ----------
    rows, wrong : int
        Of all files, those scored by an earlier run included; those without a prediction.
    files : int
        All of the pattern.
    scored : int
        Rows that this run has scored.
    scored_files : set of str
        The names of the files that they are of.
    seconds : float
    failures : dict of str to str
        Why a file could not be scored, by its name.
    """

    files: int
    rows: int = 0
    wrong: int = 0
    scored: int = 0
    scored_files: set[str] = field(default_factory=set)
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def score_files(
    model: Model,
    pattern: str,
    out: str,
    stream: TextIO,
    scheduler: str | None = None,
    workers: int | None = None,
    encoding: str = "",
    restart: bool = False,
) -> Outcome:
    """Score all files of a pattern into a folder.

    Parameters
    ----------
    model : Model
    pattern, out : str
        Paths, or URLs that fsspec knows.
    stream : file
        Where the progress is shown.
    scheduler, workers : optional
        See :func:`irislib._distributed.cluster.connect`.
    encoding : str
        Of CSV files that are not UTF-8.
    restart : bool
        Score again what was scored into this folder.

    Raises
    ------
    IrislibError
        If nothing can be scored. Files that cannot be are in the outcome, and do not prevent the others.
    """
    with storage_errors():
        files, output = find_inputs(pattern), Output(out)
        parts = plans.divide(files)
        _check_output(pattern, parts, output)
    packed = pack(model)
    with _only_writer(output):
        with storage_errors():
            _prepare(Plan.of(model, parts, encoding), parts, output, restart)
            done = plans.finished(output, parts)
        outcome = Outcome(len(files))
        outcome.rows, outcome.wrong = (sum(facts[name] for facts in done.values()) for name in ("rows", "wrong"))
        waiting = sorted((part for part in parts if part.output not in done), key=lambda part: -part.size)
        if not waiting:
            return outcome
        with ProgressLine(stream) as line:
            if done:
                line.write(TEXTS["resumed"].format(done=_whole_files(parts, waiting), count=len(files)))
            with connect(scheduler, _count_workers(waiting, workers)) as client:
                if scheduler and output.is_local:
                    _require_shared(client, output)
                run = Run(client, packed, output, encoding, parts, waiting, line)
                run.work(outcome)
    return outcome


def _count_workers(waiting: Sequence[Part], most: int | None) -> int:
    """Return how many processes are started here, at most one for each part; 0 if this one does the work."""
    dask: Any
    import dask.system

    if most is None and len(waiting) == 1 and waiting[0].size < SMALL_BYTES:
        return 0
    return min(most or dask.system.CPU_COUNT, len(waiting))


def _whole_files(parts: Sequence[Part], waiting: Sequence[Part]) -> int:
    return len({part.file.name for part in parts} - {part.file.name for part in waiting})


def _check_output(pattern: str, parts: Sequence[Part], out: Output) -> None:
    """Refuse a folder in which results would take the place of one another, or of the tables."""
    sources = {part.file.url for part in parts}
    names: dict[str, Part] = {}
    for part in parts:
        for name in (part.output, part.errors):
            if (other := names.setdefault(name, part)) is not part:
                text = TEXTS["same_output"].format(first=other.file.name, second=part.file.name, output=name)
                raise IrislibError(text)
        if out.system.unstrip_protocol(out.at(part.output)) in sources:
            raise IrislibError(TEXTS["out_is_in"].format(output=part.file.display_path))
    inside = out.system.unstrip_protocol(out.at(""))
    root = parts[0].file.url.removesuffix(parts[0].file.name)
    if any(url.startswith(inside) for url in sources) or ("**" in pattern and inside.startswith(root)):
        raise IrislibError(TEXTS["out_within"].format(out=out.url, pattern=pattern))


@contextlib.contextmanager
def _only_writer(out: Output) -> Iterator[None]:
    """Keep others from writing to the folder; at a URL two of them would write the same."""
    if not out.is_local:
        yield
        return
    try:
        folder = Path(out.at(PRIVATE))
        folder.mkdir(parents=True, exist_ok=True)
        lock = file_locks.take(folder / "lock")
    except BlockingIOError:
        raise IrislibError(TEXTS["in_use"].format(out=out.url)) from None
    except OSError as error:
        raise IrislibError(TEXTS["out_unwritable"].format(out=out.url, error=error.strerror or error)) from None
    try:
        yield
    finally:
        file_locks.free(lock)


def _prepare(plan: Plan, parts: Sequence[Part], out: Output, restart: bool) -> None:
    """Write down what is done here, unless something else was."""
    if restart:
        plans.forget(out)
    elif changes := plan.changes(out):
        raise IrislibError(TEXTS["changed"].format(out=out.url, changes="; ".join(changes[:3])))
    elif changes is None:
        present = out.sizes("")
        for part in parts:
            if part.output in present:
                raise IrislibError(TEXTS["foreign_output"].format(path=out.at(part.output)))
    out.remove(f"{PRIVATE}/unfinished")
    plan.write(out)


def _require_shared(client: Client, out: Output) -> None:
    """Refuse a folder that not all workers see."""
    for worker, is_seen in client.run(plans.is_planned, out).items():
        if not is_seen:
            raise IrislibError(TEXTS["unreachable_out"].format(worker=worker, out=out.url))


class Run:
    """The scoring of some parts on a cluster, and what is known of its progress.

    Parameters
    ----------
    client : Client
    model : PackedModel
    out : Output
    encoding : str
    parts : sequence of Part
        All, of which those of `waiting` are not done.
    waiting : sequence of Part
    line : ProgressLine
    """

    def __init__(
        self,
        client: Any,
        model: PackedModel,
        out: Output,
        encoding: str,
        parts: Sequence[Part],
        waiting: Sequence[Part],
        line: ProgressLine,
    ):
        self.client, self.model, self.out, self.encoding = client, model, out, encoding
        self.waiting, self.line = {part.output: part for part in waiting}, line
        self.parts_left = Counter(part.file.name for part in waiting)  # parts, by the names of their files
        self.files = len({part.file.name for part in parts})
        self.size = sum(part.size for part in waiting) or 1
        self.progress: dict[str, tuple[int, float]] = {}  # rows and fraction, by the names of the parts
        self.start = self.shown_at = time.monotonic()

    def work(self, outcome: Outcome) -> None:
        """Score the parts, and add to the outcome what was done."""
        from irislib._distributed.tasks import ModelPlugin, name_of, score_part

        topic = f"irislib-score-{secrets.token_hex(8)}"
        self._give_model(ModelPlugin(self.model))
        tasks: dict[Any, Part] = {}
        try:
            self.client.subscribe_topic(topic, self._note)
            options = self.out, self.model.digest, self.encoding, topic
            tasks |= {
                self.client.submit(score_part, part, *options, key=f"{topic}-{name}", retries=TRIES - 1): part
                for name, part in self.waiting.items()
            }
            ended: Queue[Any] = Queue()
            for future in tasks:
                future.add_done_callback(ended.put)
            while tasks:
                with contextlib.suppress(Empty):
                    future = ended.get(timeout=TERMINAL_SECONDS)
                    self._add(tasks.pop(future), future, outcome)
                self._show()
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                self.client.cancel(list(tasks), force=True)
                self.client.unsubscribe_topic(topic)
                self.client.unregister_worker_plugin(name_of(self.model.digest))
            outcome.seconds = time.monotonic() - self.start

    def _give_model(self, plugin: Any) -> None:
        try:
            self.client.register_plugin(plugin)
        except IrislibError as error:
            raise IrislibError(TEXTS["model_refused"].format(error=error)) from None

    def _add(self, part: Part, future: Any, outcome: Outcome) -> None:
        from distributed import KilledWorker

        self.parts_left[part.file.name] -= 1
        try:
            facts = future.result()
        except KilledWorker:
            facts = {"error": TEXTS["worker_lost"].format(path=part.file.name, count=TRIES + 1)}
        except OSError as error:
            facts = {"error": str(error)}
        if "error" in facts:
            outcome.failures[part.file.name] = facts["error"]
            self.line.write(TEXTS["failed_one"].format(path=part.file.display_path, error=facts["error"]))
        else:
            outcome.rows += facts["rows"]
            outcome.scored += facts["rows"]
            outcome.scored_files.add(part.file.name)
            outcome.wrong += facts["wrong"]
        self.progress[part.output] = facts.get("rows", 0), 1.0

    def _note(self, event: tuple[float, dict[str, Any]]) -> None:
        """Take what a worker says of a part; called in the client's thread."""
        facts = event[1]
        if self.progress.get(facts["part"], (0, 0.0))[1] < 1:
            self.progress[facts["part"]] = facts["rows"], min(facts["fraction"], 0.99)

    def _show(self) -> None:
        now = time.monotonic()
        if now - self.shown_at < (TERMINAL_SECONDS if self.line.is_terminal else LOG_SECONDS):
            return
        self.shown_at = now
        progress = dict(self.progress)
        rows = sum(rows for rows, _ in progress.values())
        fraction = sum(self.waiting[name].size * fraction for name, (_, fraction) in progress.items()) / self.size
        seconds = now - self.start
        remaining = (
            TEXTS["progress_left"].format(left=format_duration(seconds / fraction - seconds)) if fraction > 0 else ""
        )
        files = self.files - sum(count > 0 for count in self.parts_left.values())
        rate = f"{rows / seconds:,.0f}"
        text = TEXTS["progress"].format(files=files, count=self.files, rows=rows, rate=rate, left=remaining)
        self.line.update(text, fraction)
