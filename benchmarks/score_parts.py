"""Benchmark of the parts of `irislib score`: CPU of the rows, of a task at the scheduler, and of the model.

    python benchmarks/score_parts.py                           # prints four tables

What is measured is CPU time, which depends less on what else the machine does: `benchmarks/score.py` measures what a
whole command takes.
"""

from __future__ import annotations

import functools
import io
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from report import options, ratio, spread, table, turns

FILE_ROWS = 250_000
CHUNK_ROWS = 65_536


def unlike_rows(model: Any, rows: int, rng: Any) -> Any:
    """Return a table of flowers, nearly no two of them equal: each is one of the Iris Wizard's, a millimetre off."""
    sample = model.sample.sample(rows, replace=True, random_state=rng)
    moved = sample + rng.normal(0, 0.1, sample.shape)
    return moved.clip(sample.min(), sample.max(), axis=1).round(3).reset_index(drop=True)


def sample(model: Any, rows: int, kind: str) -> io.BytesIO:
    """Return a file of rows like those of the Iris Wizard."""
    import numpy as np

    content, frame = io.BytesIO(), unlike_rows(model, rows, np.random.default_rng(0))
    (frame.to_csv if kind == "CSV" else frame.to_parquet)(content, index=False)
    return content


def predict_plainly(model: Any, frame: Any) -> Any:
    """Return rows with what scikit-learn predicts: no checks and no warnings."""
    estimator = model.estimator
    shares = estimator.predict_proba(frame[model.spec.feature_names])
    frame["predicted_species"] = estimator.classes_[shares.argmax(axis=1)]
    for name, column in zip(estimator.classes_, shares.T, strict=True):
        frame[f"probability_{name}"] = column
    return frame


def score_plainly(model: Any, kind: str, content: io.BytesIO) -> None:
    """Read a file, predict its rows by scikit-learn, and write it with them; of a CSV file so many rows at a time."""
    import pandas as pd

    content.seek(0)
    if kind == "CSV":
        target = io.StringIO()
        for i, frame in enumerate(pd.read_csv(content, chunksize=CHUNK_ROWS)):
            predict_plainly(model, frame).to_csv(target, index=False, header=not i)
    else:
        predict_plainly(model, pd.read_parquet(content)).to_parquet(io.BytesIO(), index=False)


def score(model: Any, kind: str, content: io.BytesIO) -> None:
    """Score a file as a worker does."""
    from irislib._distributed.scored_tables import WrongRows, score_csv, score_parquet

    content.seek(0)
    if kind == "CSV":
        target = io.BytesIO()
        for _, text, _ in score_csv(model, content, WrongRows("a", "line"), "", content.getbuffer().nbytes):
            target.write(text)
    else:
        for _ in score_parquet(model, content, io.BytesIO(), WrongRows("a", "row"), None, 0):
            continue


def cpu(function: Callable[[], Any]) -> float:
    """Return the seconds of CPU that a call takes in this process."""
    start = time.process_time()
    function()
    return time.process_time() - start


def rows_table(model: Any, kind: str, rows: int, rounds: int) -> str:
    """Return the table of CPU time by row."""
    from irislib._compiled import single_threaded

    content = sample(model, rows, kind)
    ways = {
        "pandas and scikit-learn": functools.partial(score_plainly, model, kind, content),
        "a worker of `irislib score`": functools.partial(score, model, kind, content),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with single_threaded():
        for way in ways.values():
            way()  # the first time imports
        for name in turns(list(ways), rounds):
            seconds[name].append(cpu(ways[name]) * 1e6 / rows)
    first = next(iter(seconds.values()))
    lines = [[name, spread(values, "{:.2f} s"), ratio(first, values)] for name, values in seconds.items()]
    return table([f"CPU of a million rows of a {kind} file", "one process", "rate beside the first"], lines)


def nothing(number: int) -> int:
    """Return a number."""
    return number


def tasks_table(tasks: int, rounds: int) -> str:
    """Return the table of the CPU that scheduler and client, which are in this process, take for a task."""
    from irislib._distributed.cluster import connect

    seconds = []
    with connect(workers=2) as client:
        for start in range(rounds + 1):

            def run(start: int = start) -> None:
                client.gather([client.submit(nothing, start * tasks + i) for i in range(tasks)])

            seconds.append(cpu(run) * 1e3 / tasks)
    return table(["of a task", "scheduler and client"], [["CPU", spread(seconds[1:], "{:.2f} ms")]])


def model_table(model: Any, rounds: int) -> str:
    """Return the table of a model's file."""
    from irislib._distributed import packed_model

    seconds = []
    packed = packed_model.pack(model)
    for _ in range(rounds):
        packed_model._models.clear()
        seconds.append(cpu(packed.load))
    size = f"{len(packed.content) / 1e3:,.0f} kB"
    return table(["the model", "its file", "CPU to read it, in each worker"], [["", size, spread(seconds, "{:.2f} s")]])


def main() -> None:
    """Measure, and print."""
    chosen = options(__doc__, {"rows": (2 * FILE_ROWS, 10_000), "rounds": (5, 1), "tasks": (1_000, 20)})
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="irislib-benchmark-") as store:
        os.environ["IRISLIB_STORE"] = store
        import irislib

        model = irislib.load("iris-wizard")
        for kind in ("Parquet", "CSV"):
            print(rows_table(model, kind, chosen.rows, chosen.rounds))
            print()
        print(tasks_table(chosen.tasks, chosen.rounds))
        print()
        print(model_table(model, chosen.rounds))


if __name__ == "__main__":
    main()
