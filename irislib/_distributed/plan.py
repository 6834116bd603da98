"""The parts of a run of `irislib score`, and the notes in its folder of those that are done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from irislib._common.messages.scoring import TEXTS
from irislib._distributed.places import PRIVATE, Input, Output, open_input
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["Part", "Plan", "divide"]

FORMAT = 1
PLAN, DONE = f"{PRIVATE}/plan.json", f"{PRIVATE}/done"
PART_BYTES = 256_000_000  # of a Parquet file; a larger one is scored in several parts


@dataclass(frozen=True)
class Part:
    """The work of one task: a file, or some row groups of a large Parquet file.

    Attributes
    ----------
    file : Input
    groups : range or None
        The row groups; None for all.
    first_row : int
        How many rows of the file are before it.
    number, count : int
        Of the parts of its file, from 1.
    size : int
        Its share of the file's bytes.
    """

    file: Input
    groups: range | None
    first_row: int
    number: int
    count: int
    size: int

    @property
    def output(self) -> str:
        """The name of the file with its results."""
        if self.count == 1:
            return self.file.name
        path = PurePosixPath(self.file.name)
        return str(path.with_name(f"{path.stem}-{self.number:05d}-of-{self.count:05d}{path.suffix}"))

    @property
    def errors(self) -> str:
        """The name of the file with the rows that have no prediction."""
        name = self.output.removesuffix(self.file.packing)
        return f"errors/{name}" if name.endswith(".csv") else f"errors/{name}.csv"

    @property
    def done(self) -> str:
        """The name of the file that says that it is done."""
        return f"{DONE}/{self.output}.json"


def divide(files: Iterable[Input]) -> list[Part]:
    """Return the parts in which files are scored."""
    parts: list[Part] = []
    for file in files:
        if file.kind == "parquet" and file.size > PART_BYTES:
            parts += _divide_groups(file)
        else:
            parts.append(Part(file, None, 0, 1, 1, file.size))
    return parts


def _divide_groups(file: Input) -> list[Part]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_input(file) as source:
            metadata = pq.ParquetFile(source).metadata
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    except (OSError, pa.ArrowException) as error:
        raise IrislibError(TEXTS["unreadable"].format(path=file.display_path, error=error)) from None
    starts, size = [0], 0
    for i, group in enumerate(groups):
        if size and size + group.total_byte_size > PART_BYTES:
            starts.append(i)
            size = 0
        size += group.total_byte_size
    ends = [*starts[1:], len(groups)]
    first_rows = [sum(group.num_rows for group in groups[:start]) for start in starts]
    count = len(starts)
    return [
        Part(file, range(start, end), row, i + 1, count, file.size // count)
        for i, (start, end, row) in enumerate(zip(starts, ends, first_rows, strict=True))
    ]


@dataclass(frozen=True)
class Plan:
    """The model and the files of a run.

    Attributes
    ----------
    name, version : str
        Of the model.
    encoding : str
        Of the CSV files, if it was given.
    marks : dict of str to list
        By the names of the files: what changes with their content, and in how many parts they are scored.
    """

    name: str
    version: str
    encoding: str
    marks: dict[str, list[Any]]

    @classmethod
    def of(cls, model: Model, parts: Sequence[Part], encoding: str) -> Plan:
        """Return the plan for some parts."""
        marks = {part.file.name: [part.file.mark, part.count] for part in parts}
        return cls(model.spec.name, model.version, encoding, marks)

    def changes(self, out: Output) -> list[str] | None:
        """Return why what is in a folder cannot be continued, and nothing if it can; None if there is nothing."""
        content = out.read(PLAN)
        if content is None:
            return None
        before = json.loads(content)
        if before["format"] > FORMAT:
            return [TEXTS["changed.format"]]
        changes = []
        models = [" ".join([name, version]) for name, version in (before["model"], [self.name, self.version])]
        if models[0] != models[1]:
            changes.append(TEXTS["changed.model"].format(before=models[0], now=models[1]))
        if before["encoding"] != self.encoding:
            changes.append(TEXTS["changed.encoding"].format(before=before["encoding"], now=self.encoding))
        for name, mark in before["files"].items():
            if name not in self.marks:
                changes.append(TEXTS["changed.gone"].format(path=name))
            elif mark != self.marks[name]:
                changes.append(TEXTS["changed.file"].format(path=name))
        return changes

    def write(self, out: Output) -> None:
        """Write it, before anything is scored."""
        content = {"format": FORMAT, "model": [self.name, self.version], "encoding": self.encoding, "files": self.marks}
        out.write(PLAN, json.dumps(content, indent=1).encode())


def is_planned(out: Output) -> bool:
    """Return True if a folder has results of `irislib score`."""
    return out.size(PLAN) is not None


def forget(out: Output) -> None:
    """Have everything scored again: what is there stays until it is replaced."""
    out.remove(DONE)
    out.remove("errors")


def finished(out: Output, parts: Iterable[Part]) -> dict[str, dict[str, Any]]:
    """Return what is known of the parts that are done, by the names of their results, which are there whole."""
    sizes = out.sizes("")
    done = {}
    for part in parts:
        if part.done in sizes and part.output in sizes and (content := out.read(part.done)) is not None:
            facts = json.loads(content)
            if sizes[part.output] == facts["size"]:
                done[part.output] = facts
    return done


def finish(out: Output, part: Part, rows: int, wrong: int) -> dict[str, Any]:
    """Note that a part is done, after its results are there."""
    facts = {"rows": rows, "wrong": wrong, "size": out.size(part.output)}
    out.write(part.done, json.dumps(facts).encode())
    return facts
