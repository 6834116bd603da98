"""Benchmark of one row for estimators of every sort: through scikit-learn, by the fast form, and by POST.

    python benchmarks/estimators.py                # some minutes; prints a table
    python benchmarks/estimators.py --requests 0   # without the servers

The estimators are those of docs/estimators.md, with as many trees as people take, one of 300 features, and large
forests. CPU time in every column; that of a POST is the endpoint's own, in its WSGI application without a socket. A
form is beside an empty Flask view in the same rounds, JSON beside one that reads it.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from views import empty, reading

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
ROUNDS = 5


def microseconds(function: Callable[[Any], Any], rows: list[Any], count: int) -> float:
    """CPU time of one call, the median of some rounds."""
    function(rows[0])
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for i in range(count):
            function(rows[i % len(rows)])
        rounds.append((time.process_time() - start) / count * 1e6)
    return statistics.median(rounds)


def grown(estimator: Any) -> Any:
    """Give an estimator a hundred trees, wherever it has trees."""
    many = {
        name: 100
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] in ("n_estimators", "max_iter") and isinstance(value, int) and value <= 10
    }
    return estimator.set_params(**many)


def wide() -> tuple[Any, Any, Any]:
    """Return a model of 300 numbers."""
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    x = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 300)).round(3)).add_prefix("gene_")
    return LogisticRegression(), x, np.where(x.sum(axis=1) > 0, "ill", "well")


def posts(app: Any, path: str, kind: str) -> Callable[[bytes], Any]:
    """Return the function that posts a body to an application."""

    def post(body: bytes) -> bytes:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "CONTENT_TYPE": f"application/{kind}",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        status: list[str] = []
        chunks = app(environ, lambda line, headers, exc_info=None: status.append(line))
        content = b"".join(chunks)
        if not status[0].startswith("200"):
            raise SystemExit(f"{status[0]}: {content!r}")
        return content

    return post


def beside(model: Any, rows: list[dict[str, Any]], requests: int, is_json: bool) -> str:
    """Return the CPU time of a POST beside that of a view, the median of some ratios."""
    from irislib.api import create_app

    kind = "json" if is_json else "x-www-form-urlencoded"
    bodies = [
        (json.dumps(row, default=lambda cell: cell.item()) if is_json else urlencode(row)).encode() for row in rows
    ]
    ours = posts(create_app([model]).wsgi_app, "/thing", kind)
    theirs = posts((reading if is_json else empty)().wsgi_app, "/iris-wizard", kind)
    ratios = [microseconds(ours, bodies, requests) / microseconds(theirs, bodies, requests) for _ in range(5)]
    return f"{statistics.median(ratios):.2f}"


def large_forests() -> dict[str, tuple[Any, Any, Any]]:
    """Forests of some 0.5, 0.8 and 4 million nodes, as `estimators.CASES` has its estimators."""
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    values, target = make_classification(20_000, 30, n_informative=12, n_classes=3, flip_y=0.2, random_state=0)
    rows = pd.DataFrame(values.round(2), columns=[f"x{i}" for i in range(values.shape[1])])
    return {
        f"RandomForestClassifier, {n:,} trees of 30 features": (
            RandomForestClassifier(n, max_samples=share, random_state=0),
            rows,
            target,
        )
        for n, share in ((100, None), (1000, 1500), (5000, 1500))
    }


def measure(name: str, case: tuple[Any, Any, Any], requests: int, repeats: int) -> str:
    """Return the line of an estimator; ask scikit-learn as often in a round as ``repeats`` says."""
    import estimators
    from sklearn.base import clone

    from irislib._compiled import one_row_frame, predict_one
    from irislib._description.validation import check_row

    make, x, y = case
    with tempfile.TemporaryDirectory() as folder:
        visit = estimators.Visit(lambda: grown(clone(make) if hasattr(make, "fit") else make()), x, y, Path(folder))
    model, names = visit.model, visit.model.spec.feature_names
    cells = [dict(zip(names, row, strict=True)) for row in visit.x_test.itertuples(index=False, name=None)]
    cells = [{name: cell for name, cell in row.items() if cell == cell} for row in cells]
    rows = [list(check_row(model.spec.features, row)[0].values()) for row in cells]
    form, text = model.fast_form

    def slow(row: list[Any]) -> Any:
        return predict_one(model.estimator, one_row_frame(model.spec.features, row), model.has_probabilities)

    before, after = microseconds(slow, rows, repeats), microseconds(model.predict_values, rows, 300)
    answered = sum(form is not None and form.predict(row) is not None for row in rows) / len(rows)
    line = f"| {name} | {before:,.0f} µs | {after:,.1f} µs | {answered:.0%} |"
    if requests:
        line += f" {beside(model, cells, requests, False)} | {beside(model, cells, requests, True)} |"
    how = text.partition(" is answered by ")[2].partition(", proved")[0]
    return f"{line} {how or text} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=200, help="in each round; 0 for none")
    parser.add_argument("--only", default="", help="estimators whose name has this in it")
    options, _ = parser.parse_known_args()  # those of the other sections
    warnings.simplefilter("ignore")
    import estimators
    import pytest

    columns = ["estimator", "scikit-learn", "irislib", "rows by the fast form"]
    if options.requests:
        columns += ["`POST` of a form beside an empty view", "of JSON beside an empty view that reads it"]
    columns.append("how")
    for cells in (columns, ["---"] * len(columns)):
        print(f"| {' | '.join(cells)} |")
    large = large_forests()
    for name, case in {**estimators.CASES, "LogisticRegression, 300 features": wide(), **large}.items():
        if options.only in name:
            try:
                print(measure(name, case, options.requests, repeats=1 if name in large else 15), flush=True)
            except pytest.skip.Exception:  # its package is not installed
                continue


if __name__ == "__main__":
    main()
