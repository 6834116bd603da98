"""Measure everything and print it as Markdown: docs/performance.md, and the first table of docs/comparison.md.

    make benchmark ARGS="--peers PYTHON --write"     # all sections, into the documents
    python benchmarks --quick --peers PYTHON         # the same with the smallest counts, to see that it runs
    python benchmarks --only pages --rounds 1        # one of them

Each section is a script of this folder that prints a table and can be run alone, with more options. With ``--only``,
``--write`` renews that section and leaves the others.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PERFORMANCE = HERE.parent / "docs" / "performance.md"
COMPARISON = HERE.parent / "docs" / "comparison.md"
INTRODUCTION = """# How fast it is

This page is made by `make benchmark`; [how-it-is-fast.md](how-it-is-fast.md) has the reasons. What stands in one table
was measured in turns, with servers and browser on one machine of two cores that others use as well: the ratios and the
CPU times are the sound figures, the times would be others on yours. Medians, in brackets the least and the most."""
# The script and the title of each section, and what explains its figures.
SECTIONS = {
    "rows": (
        "One row",
        """A forest of 100 trees, asked over HTTP, 16 requests at a time. All servers are Gunicorn with its sync worker
and an access log; irislib checks, counts and logs each request, and asks for a token.""",
    ),
    "estimators": (
        "Every estimator",
        """The estimators of [estimators.md](estimators.md), with 100 trees where they have trees: the CPU time of one
row through scikit-learn and in irislib, and that of a `POST` beside an empty Flask view's, both without a server around
them. With one, which costs both the same, all ratios are nearer to 1. A form is beside a view that reads nothing, JSON
beside one that reads it.""",
    ),
    "many_rows": (
        "Many rows",
        """CSV posted to `/batch`, in process and over `irislib api` with one worker. Beside it pandas reads the same
file and writes the same columns, predicted by the estimator, without checks, warnings and problems. The more rows have
warnings, the longer is the answer. In process with `OMP_NUM_THREADS=1`, as `irislib api` sets
it where it is not set: NumPy's threads wait for each other in busy loops on a machine that has other work, which took
ten times as long with 30 numbers.""",
    ),
    "pages": (
        "Pages",
        """The same forest and form in each tool, with its default theme and server, in headless Chromium, seen from
within the page by the frames that were painted. irislib and Voila have a process for each visitor, the others one for
all. "Without a button" is irislib's `ModelSpec(live=True)`. Other tools' pages show the answer and its probabilities
alone.""",
    ),
}
SUMMARY = (
    "page opened → button works",
    "click → answer on screen",
    "10 visitors at once: the last one's button works",
    "download of a first page",
    "memory for each of 10 visitors",
    "memory of the server before the first visitor",
)


def tables(name: str, arguments: list[str]) -> str | None:
    """Run a section, and return its tables, or None if it has failed."""
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate()
    except KeyboardInterrupt:  # the section has it, too, and ends its servers
        process.wait()
        raise
    except SystemExit:
        process.terminate()
        process.wait()
        raise
    return None if process.returncode else output.strip()


def page(old: str, renewed: dict[str, str]) -> str:
    """Return the page of performance, with the tables of some sections renewed, and the others' as they were."""
    parts = [INTRODUCTION]
    for name, (title, sentence) in SECTIONS.items():
        kept = re.search(rf"^## {title}$.*?^(\|.*?)(?=\n+## |\n*\Z)", old, re.M | re.S)
        if name in renewed or kept:
            parts.append(f"## {title}\n\n{sentence}\n\n{renewed.get(name) or kept[1]}")
    return "\n\n".join(parts) + "\n"


def summary(performance: str) -> str:
    """Return the table at the top of the comparison: some rows of the first table of the pages, the medians alone."""
    head, line, *rows = re.search(r"^## Pages$.*?\n((?:\|.*\n)+)", performance, re.M | re.S)[1].splitlines()
    medians = {row.split(" | ")[0].removeprefix("| "): re.sub(r" \([^|]*?\)(?= \|)", "", row) for row in rows}
    head = re.sub(r"^\|.*?\|", "| The same forest and form |", head)
    return "\n".join([head, line, *(medians[title] for title in SUMMARY)])


def with_summary(comparison: str, performance: str) -> str:
    """Return the comparison with its first table renewed."""
    return re.sub(r"^\|.*?(?=\n\n)", lambda _: summary(performance), comparison, count=1, flags=re.M | re.S)


def write(name: str, measured: str) -> None:
    """Renew a section in the documents."""
    performance = page(PERFORMANCE.read_text(encoding="utf-8"), {name: measured})
    PERFORMANCE.write_text(performance, encoding="utf-8")
    COMPARISON.write_text(with_summary(COMPARISON.read_text(encoding="utf-8"), performance), encoding="utf-8")


def main() -> None:
    """Run the sections, and print or write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=SECTIONS, action="append", help="a section; may be given several times")
    parser.add_argument("--write", action="store_true", help="into the documents, instead of printing it")
    parser.add_argument("--rounds", help="of each section, instead of its own number")
    parser.add_argument("--peers", help="an interpreter of an environment with Voila, Shiny, Gradio, Dash, Streamlit")
    parser.add_argument("--beside", help="an interpreter that has another version of irislib")
    parser.add_argument("--quick", action="store_true", help="the smallest counts: to see that it runs")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("the figures of --quick are none for the documents.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    arguments = ["--quick"] * options.quick + [
        f"--{name}={value}" for name in ("rounds", "peers", "beside") if (value := getattr(options, name)) is not None
    ]
    failed = []
    for name in options.only or SECTIONS:
        start = time.monotonic()
        measured = tables(name, arguments)
        print(f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr)
        if measured is None:
            failed.append(name)
        elif options.write:
            write(name, measured)
        else:
            print(f"{measured}\n", flush=True)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
