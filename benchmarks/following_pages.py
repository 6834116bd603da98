"""Swaps of the version that `irislib serve` has: how soon it answers, when new pages have it, and what memory it takes.

    python benchmarks/following_pages.py                # ten swaps
    python benchmarks/following_pages.py --follow 0.2   # looks at the store that often

Versions are published in turns, and then rolled back to. Each is measured from the moment at which it is current in the
store; a page is one that is opened when its server says that it has changed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import requests
from following import memory_of, versions_of
from processes import running_server

CHANGED = "{name}.ipynb has changed, and so has its page."
PATIENCE = 120


def wait_until(condition: Any) -> float:
    """Return when a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("It took too long.")
        time.sleep(0.02)
    return time.monotonic()


def rss_of(pid: int) -> list[int]:
    """Return the resident memory in MB of the server, and of its main template process."""
    server = psutil.Process(pid)
    template = max(server.children(), key=lambda child: len(child.children()))
    return [round(process.memory_info().rss / 2**20) for process in (server, template)]


def state_of(pid: int) -> dict[str, Any]:
    """Return the number of a server's processes and their memory."""
    return {
        "processes": 1 + len(psutil.Process(pid).children(recursive=True)),
        "all, PSS in MB": round(memory_of(pid)),
        "server and template process, RSS in MB": rss_of(pid),
    }


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the server and swap its versions; return all figures."""
    from irislib._modeling import store
    from irislib.iris import spec

    root, name = store.default_root(), spec.name
    models = versions_of(spec, 3)
    store.save(models[0], root)
    row = spec.load_data()[spec.feature_names].iloc[0].to_dict()
    log, answered, opened = folder / "log", [], []
    command = [sys.executable, "-m", "irislib", "serve", "--model", "irislib.iris:spec", "--languages", "en"]
    with running_server(command, "/readyz", log) as server:
        time.sleep(options.settle)
        states = {"before": state_of(server.pid)}
        for number in range(options.swaps):
            pages = log.read_text().count(CHANGED.format(name=name))
            entry = store.rollback(name, root) if number >= len(models) else store.publish(models[number - 2], root)
            began = time.monotonic()

            def is_answered(version: str = entry.version) -> bool:
                answer = requests.post(f"{server.url}/{name}", data=row, timeout=PATIENCE)
                answer.raise_for_status()
                return answer.headers["X-Model-Version"] == version

            def is_changed(before: int = pages) -> bool:
                return log.read_text().count(CHANGED.format(name=name)) > before

            answered.append(wait_until(is_answered) - began)
            opened.append(wait_until(is_changed) - began)
            assert entry.version in requests.get(f"{server.url}/{name}", timeout=PATIENCE).text
            time.sleep(options.pause)
        time.sleep(options.settle)
        states["after"] = state_of(server.pid)
    return {
        "seconds to the first answer": [round(value, 2) for value in answered],
        "median": round(statistics.median(answered), 2),
        "seconds to the first page": [round(value, 2) for value in opened],
        "median of these": round(statistics.median(opened), 2),
        **states,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=10)
    parser.add_argument("--follow", type=float, help="seconds between two looks at the store, if not the default")
    parser.add_argument("--pause", type=float, default=2, help="seconds between two swaps")
    parser.add_argument(
        "--settle", type=float, default=90, help="seconds until the kernels of pages that were left end"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IRISLIB_STORE"] = f"{folder}/store"
        if options.follow:
            os.environ["IRISLIB_FOLLOW"] = str(options.follow)
        for name, value in measure(options, Path(folder)).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
