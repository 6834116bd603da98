"""Benchmark of a form of 300 fields beside that of the Iris Wizard: same server, same browser, one run.

    python benchmarks/long_form.py --rounds 15

The two pages take turns. The times are those of pages.py: since the navigation began, until a frame has painted it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from browser import Visitor, launch, visitor
from playwright.sync_api import sync_playwright
from processes import running_server

from irislib import Feature, ModelSpec

COUNT = 300
NAMES = [f"gene_{i}" for i in range(COUNT)]
TITLES = {
    "ready": "page opened → button works",
    "predicted": "page opened → first answer on screen, the button pressed as soon as it is there",
    "warm ready": "the same with the browser's cache: button",
    "warm predicted": "the same with the browser's cache: answer",
}


def load_data() -> Any:
    """Return invented measurements of which three decide."""
    import numpy as np
    import pandas as pd

    data = pd.DataFrame(np.random.default_rng(0).normal(size=(400, COUNT)), columns=NAMES)
    return data.assign(kind=np.where(data[["gene_7", "gene_13", "gene_200"]].sum(axis=1) > 0, "ill", "well"))


def spec() -> ModelSpec:
    """Return a model with a form of 300 fields."""
    from sklearn.ensemble import RandomForestClassifier

    features = [Feature(name, default=0) for name in NAMES]
    estimator = RandomForestClassifier(100, random_state=0)
    return ModelSpec("long-form", features, "kind", load_data, estimator, action="Abrakadabra")


def main() -> None:
    """Measure and print medians, in brackets the least and the most."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    pages = {"iris-wizard": "4 fields", "long-form": f"{COUNT} fields"}
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    models = ["--model=irislib.iris:spec", "--model=long_form:spec"]
    with tempfile.TemporaryDirectory(prefix="irislib-") as folder, sync_playwright() as playwright:
        os.environ |= {"IRISLIB_STORE": f"{folder}/store", "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-m", "irislib", "serve", *models]
        with running_server(command, "/healthz", Path(folder) / "log") as server:
            browser = launch(playwright)
            for i in range(options.rounds + 1):  # the first one warms the server up
                for name in sorted(pages, reverse=bool(i % 2)):
                    server.marked.settle()
                    with visitor(browser) as context:
                        for prefix in ("", "warm "):
                            tab = Visitor(context)
                            ready, predicted, _ = tab.visit(f"{server.url}/{name}")
                            tab.close()
                            if i and ready and predicted:
                                times[name, f"{prefix}ready"].append(ready)
                                times[name, f"{prefix}predicted"].append(predicted)
            browser.close()
    print(f"| | {' | '.join(pages.values())} |\n|---|---|---|")
    for key, title in TITLES.items():
        cells = [times[name, key] for name in pages]
        shown = [f"{statistics.median(v):.2f} s ({min(v):.2f} to {max(v):.2f})" for v in cells]
        print(f"| {title} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
