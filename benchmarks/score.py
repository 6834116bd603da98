"""Benchmark of `irislib score`: rows per second beside plain scikit-learn, memory, and a worker that is killed.

    python benchmarks/score.py                                 # prints four tables
    python benchmarks/score.py --rows 0 --most 50000000        # the last of them alone, for so many rows

Each measurement has processes of its own, and the ways take turns. The rates are those of the scoring, without the
start of processes; what that takes is a column of its own.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from report import options, ratio, spread, table, turns
from score_parts import CHUNK_ROWS, unlike_rows

Watch = Callable[[psutil.Process], None]
FILES = 8
NAMES = {"parquet": "Parquet", "csv": "CSV"}
ROWS_AT_ONCE = 250_000
PLAIN = """
import sys, time, pathlib
import pandas as pd
import pyarrow.parquet as pq
import irislib
model = irislib.load("iris-wizard")
estimator, names = model.estimator, model.spec.feature_names
estimator.n_jobs = 1
source, target, way = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]

def scored(frame):
    shares = estimator.predict_proba(frame[names])
    frame["predicted_species"] = estimator.classes_[shares.argmax(axis=1)]
    for name, column in zip(estimator.classes_, shares.T):
        frame[f"probability_{name}"] = column
    return frame

start = time.monotonic()
for file in sorted(source.iterdir()):
    if file.suffix == ".csv":
        for i, frame in enumerate(pd.read_csv(file, chunksize=int(way))):
            scored(frame).to_csv(target / file.name, index=False, mode="a" if i else "w", header=not i)
    elif way == "whole":
        scored(pd.read_parquet(file)).to_parquet(target / file.name, index=False)
    else:
        for i, batch in enumerate(pq.ParquetFile(file).iter_batches(int(way))):
            scored(batch.to_pandas()).to_parquet(target / f"{file.stem}-{i}.parquet", index=False)
print(time.monotonic() - start)
"""


def write_tables(folder: Path, rows: int, files: int, kind: str = "parquet") -> None:
    """Write rows like those of the Iris Wizard, a quarter of a million at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    import irislib

    model, rng = irislib.load("iris-wizard"), np.random.default_rng(0)
    make = pq.ParquetWriter if kind == "parquet" else pyarrow.csv.CSVWriter
    folder.mkdir()
    for i in range(files):
        starts = range(0, rows // files, ROWS_AT_ONCE)
        counts = [min(ROWS_AT_ONCE, rows // files - start) for start in starts]
        tables = (pa.Table.from_pandas(unlike_rows(model, count, rng), preserve_index=False) for count in counts)
        first = next(tables)
        with make(folder / f"{i:03}.{kind}", first.schema) as writer:
            for content in itertools.chain([first], tables):
                writer.write_table(content)


def run_plain(source: Path, target: Path, way: str) -> tuple[float, float]:
    """Return the seconds of the scoring, and of the whole process."""
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", PLAIN, str(source), str(target), way], check=True, capture_output=True, text=True
    )
    return float(result.stdout), time.monotonic() - start


def run_score(
    source: Path, target: Path, workers: int, during: Callable[[psutil.Process], None] | None = None
) -> float:
    """Run the command; return its seconds."""
    command = [sys.executable, "-m", "irislib", "score", f"{source}/*", "--out", str(target)]
    start = time.monotonic()
    with subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL) as process:
        if during:
            during(psutil.Process(process.pid))
    if process.returncode:
        raise SystemExit("irislib score has failed.")
    return time.monotonic() - start


def notes(target: Path) -> list[Path]:
    """Return the notes of the files that are done."""
    return [*target.glob(".irislib-score/done/*.json")]


def compare(folder: Path, kind: str, rows: int, rounds: int) -> None:
    """Print rows per second of each way."""
    chunks = f"scikit-learn with pandas, one process, {CHUNK_ROWS:,} rows at a time"
    ways = {
        "scikit-learn with pandas, one process, a file at a time": lambda s, t: run_plain(s, t, "whole"),
        chunks: lambda s, t: run_plain(s, t, str(CHUNK_ROWS)),
        "`irislib score --workers 1`": lambda s, t: timed_score(s, t, 1),
        "`irislib score --workers 2`": lambda s, t: timed_score(s, t, 2),
    }
    if kind == "csv":
        ways = dict(list(ways.items())[1:])
    write_tables(folder / kind, rows, FILES, kind)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for name in turns(list(ways), rounds):
        target = folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        found[name].append(ways[name](folder / kind, target))
    first = [seconds for seconds, _ in next(iter(found.values()))]
    lines = [
        [
            name,
            spread([rows / s for s, _ in values], "{:,.0f}"),
            ratio(first, [s for s, _ in values]),
            spread([whole - s for s, whole in values], "{:.1f} s"),
        ]
        for name, values in found.items()
    ]
    print(table([f"{rows:,} rows in {FILES} {NAMES[kind]} files", "rows/s", "ratio", "start and end"], lines))
    print(flush=True)


def timed_score(source: Path, target: Path, workers: int) -> tuple[float, float]:
    """Return the seconds of the scoring, from the first file that is begun on, and of the whole command."""
    begun: list[float] = []

    def watch(process: psutil.Process) -> None:
        unfinished = target / ".irislib-score" / "unfinished"
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and not begun:
            if unfinished.is_dir() and any(unfinished.iterdir()) and (target / ".irislib-score" / "plan.json").exists():
                begun.append(time.time())
            time.sleep(0.02)

    whole = run_score(source, target, workers, watch)
    return max(path.stat().st_mtime for path in notes(target)) - begun[0], whole


def peak_memory(source: Path, target: Path) -> float:
    """Return the most MB (PSS) that a worker has had."""
    peaks = [0.0]

    def watch(process: psutil.Process) -> None:
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            for child in process.children(recursive=True):
                try:
                    peaks[0] = max(peaks[0], child.memory_full_info().pss / 1e6)
                except psutil.Error:
                    continue
            time.sleep(0.2)

    run_score(source, target, 2, watch)
    return peaks[0]


def memory(folder: Path, most: int) -> None:
    """Print the memory of a worker for more and more rows."""
    lines = []
    for rows in [count for count in (1_000_000, 10_000_000, 50_000_000) if count <= most]:
        write_tables(folder / "more", rows, 4)
        start = time.monotonic()
        peak = peak_memory(folder / "more", folder / "more-out")
        lines.append([f"{rows:,}", f"{peak:,.0f} MB", f"{time.monotonic() - start:,.0f} s"])
        shutil.rmtree(folder / "more")
        shutil.rmtree(folder / "more-out")
    print(table(["rows in 4 Parquet files, 2 workers", "most memory of a worker (PSS)", "whole command"], lines))


def killed_worker(folder: Path, rounds: int) -> None:
    """Print what it takes longer if one of two workers is killed when half is done."""

    def kill(target: Path) -> Callable[[psutil.Process], None]:
        def watch(process: psutil.Process) -> None:
            while len(notes(target)) < FILES // 2:
                time.sleep(0.02)
            children = [child for child in process.children(recursive=True) if not child.children()]
            busiest = max(children, key=lambda child: sum(child.cpu_times()[:2]))
            os.kill(busiest.pid, signal.SIGKILL)

        return watch

    seconds: dict[bool, list[float]] = {False: [], True: []}
    for is_killed in turns([False, True], rounds):
        target = folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        seconds[is_killed].append(run_score(folder / "parquet", target, 2, kill(target) if is_killed else None))
    lost = statistics.median(seconds[True]) - statistics.median(seconds[False])
    lines = [["no worker", spread(seconds[False], "{:.1f} s")], ["one of two", spread(seconds[True], "{:.1f} s")]]
    print(table(["killed when half is done", "whole command"], lines))
    print(f"\nA killed worker costs {lost:.1f} s.")


def main() -> None:
    """Measure, and print."""
    counts = {
        "rows": (4_000_000, 80_000),
        "csv": (1_000_000, 80_000),
        "rounds": (3, 1),
        "most": (10_000_000, 1_000_000),
    }
    chosen = options(__doc__, counts)
    threading.current_thread().name = "benchmark"
    with tempfile.TemporaryDirectory(prefix="irislib-benchmark-") as name:
        folder = Path(name)
        os.environ["IRISLIB_STORE"] = str(folder / "store")
        os.environ["OMP_NUM_THREADS"] = "1"
        if chosen.rows:
            compare(folder, "parquet", chosen.rows, chosen.rounds)
            compare(folder, "csv", chosen.csv, chosen.rounds)
            killed_worker(folder, chosen.rounds)
            print()
        memory(folder, chosen.most)


if __name__ == "__main__":
    main()
