"""Benchmark of `irislib score`: rows per second beside plain scikit-learn, memory, and a worker that is killed.

    python benchmarks/score.py                                 # prints three tables
    python benchmarks/score.py --most 50000000   # rows, for the memory;          # takes a quarter of an hour

Each measurement has processes of its own, and the ways take turns. The rates are those of the scoring, without the
start of processes; what that takes is a column of its own.
"""

from __future__ import annotations

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
from report import options, spread, table, turns

Watch = Callable[[psutil.Process], None]
FILES = 8
CHUNK_ROWS = 65_536
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
for file in sorted(source.glob("*.parquet")):
    if way == "whole":
        scored(pd.read_parquet(file)).to_parquet(target / file.name, index=False)
    else:
        for i, batch in enumerate(pq.ParquetFile(file).iter_batches(int(way))):
            scored(batch.to_pandas()).to_parquet(target / f"{file.stem}-{i}.parquet", index=False)
print(time.monotonic() - start)
"""


def write_tables(folder: Path, rows: int, files: int) -> None:
    """Write rows like those of the Iris Wizard, a quarter of a million at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import irislib

    model = irislib.load("iris-wizard")
    folder.mkdir()
    for i in range(files):
        count, writer = rows // files, None
        while count > 0:
            sample = model.sample.sample(min(count, 250_000), replace=True, random_state=i)
            content = pa.Table.from_pandas(sample, preserve_index=False)
            writer = writer or pq.ParquetWriter(folder / f"{i:03}.parquet", content.schema)
            writer.write_table(content)
            count -= len(sample)
        if writer:
            writer.close()


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
    command = [sys.executable, "-m", "irislib", "score", f"{source}/*.parquet", "--out", str(target)]
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


def compare(folder: Path, rows: int, rounds: int) -> None:
    """Print rows per second of each way."""
    ways = {
        "scikit-learn, one process, a file at a time": lambda s, t: run_plain(s, t, "whole"),
        f"the same, {CHUNK_ROWS:,} rows at a time": lambda s, t: run_plain(s, t, str(CHUNK_ROWS)),
        "`irislib score --workers 1`": lambda s, t: timed_score(s, t, 1),
        "`irislib score --workers 2`": lambda s, t: timed_score(s, t, 2),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for name in turns(list(ways), rounds):
        target = folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        found[name].append(ways[name](folder / "in", target))
    first = statistics.median(seconds for seconds, _ in next(iter(found.values())))
    lines = [
        [
            name,
            spread([rows / s for s, _ in values], "{:,.0f}"),
            f"{first / statistics.median(s for s, _ in values):.2f}",
            spread([whole - s for s, whole in values], "{:.1f} s"),
        ]
        for name, values in found.items()
    ]
    print(table([f"{rows:,} rows in {FILES} Parquet files", "rows/s", "ratio", "start and end"], lines))


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
        lines.append([f"{rows:,}", f"{peak_memory(folder / 'more', folder / 'more-out'):,.0f} MB"])
        shutil.rmtree(folder / "more")
        shutil.rmtree(folder / "more-out")
    print(table(["rows in 4 Parquet files, 2 workers", "most memory of a worker (PSS)"], lines))


def killed_worker(folder: Path, rounds: int) -> None:
    """Print what it takes longer if one of two workers is killed when half is done."""

    def kill(target: Path) -> Callable[[psutil.Process], None]:
        def watch(process: psutil.Process) -> None:
            while len(notes(target)) < FILES // 2:
                time.sleep(0.02)
            busiest = max(process.children(recursive=True), key=lambda child: sum(child.cpu_times()[:2]))
            os.kill(busiest.pid, signal.SIGKILL)

        return watch

    seconds: dict[bool, list[float]] = {False: [], True: []}
    for is_killed in turns([False, True], rounds):
        target = folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        seconds[is_killed].append(run_score(folder / "in", target, 2, kill(target) if is_killed else None))
    lost = statistics.median(seconds[True]) - statistics.median(seconds[False])
    lines = [["no worker", spread(seconds[False], "{:.1f} s")], ["one of two", spread(seconds[True], "{:.1f} s")]]
    print(table(["killed when half is done", "whole command"], lines))
    print(f"\nA killed worker costs {lost:.1f} s.")


def main() -> None:
    """Measure, and print."""
    counts = {"rows": (4_000_000, 80_000), "rounds": (3, 1), "most": (10_000_000, 1_000_000)}
    chosen = options(__doc__, counts)
    threading.current_thread().name = "benchmark"
    with tempfile.TemporaryDirectory(prefix="irislib-benchmark-") as name:
        folder = Path(name)
        os.environ["IRISLIB_STORE"] = str(folder / "store")
        os.environ["OMP_NUM_THREADS"] = "1"
        write_tables(folder / "in", chosen.rows, FILES)
        compare(folder, chosen.rows, chosen.rounds)
        print()
        killed_worker(folder, chosen.rounds)
        print()
        memory(folder, chosen.most)


if __name__ == "__main__":
    main()
