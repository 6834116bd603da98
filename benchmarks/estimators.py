"""Benchmark of one row for estimators of every sort: through scikit-learn, by the fast form, and by POST.

    python benchmarks/estimators.py                       # some minutes; prints a table
    python benchmarks/estimators.py --only CatBoost       # those whose name has this in it

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
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from report import options, table
from views import empty, reading

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
WIDE = "LogisticRegression, 300 features"
LARGE = {  # the number of trees, and of rows for each tree if not all
    f"RandomForestClassifier, {n:,} trees of 30 features": (n, share)
    for n, share in ((100, None), (1000, 1500), (5000, 1500))
}
COLUMNS = [
    *("estimator", "scikit-learn", "irislib"),
    *("`POST` of a form beside an empty view", "of JSON beside an empty view that reads it"),
]


def microseconds(function: Callable[[Any], Any], rows: list[Any], count: int) -> float:
    """CPU time of one call, the mean of so many."""
    start = time.process_time()
    for i in range(count):
        function(rows[i % len(rows)])
    return (time.process_time() - start) / count * 1e6


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


def beside(model: Any, rows: list[dict[str, Any]], chosen: argparse.Namespace, is_json: bool) -> str:
    """Return the CPU time of a POST beside that of a view, the median of the ratios within a round."""
    from irislib.api import create_app

    kind = "json" if is_json else "x-www-form-urlencoded"
    bodies = [
        (json.dumps(row, default=lambda cell: cell.item()) if is_json else urlencode(row)).encode() for row in rows
    ]
    ours = posts(create_app([model]).wsgi_app, "/thing", kind)
    theirs = posts((reading if is_json else empty)().wsgi_app, "/iris-wizard", kind)
    ours(bodies[0]), theirs(bodies[0])
    ratios = [
        microseconds(ours, bodies, chosen.requests) / microseconds(theirs, bodies, chosen.requests)
        for _ in range(chosen.rounds)
    ]
    return f"{statistics.median(ratios):.2f}"


def large_forests(n_rows: int) -> dict[str, tuple[Any, Any, Any]]:
    """Forests of some 0.5, 0.8 and 4 million nodes of 20,000 rows, as `estimators.CASES` has its estimators."""
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    values, target = make_classification(n_rows, 30, n_informative=12, n_classes=3, flip_y=0.2, random_state=0)
    rows = pd.DataFrame(values.round(2), columns=[f"x{i}" for i in range(values.shape[1])])
    return {
        name: (RandomForestClassifier(n, max_samples=share and share * n_rows // 20_000, random_state=0), rows, target)
        for name, (n, share) in LARGE.items()
    }


def measure(name: str, case: tuple[Any, Any, Any], chosen: argparse.Namespace, repeats: int) -> list[str]:
    """Return the cells of an estimator; ask scikit-learn as often in a round as ``repeats`` says."""
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

    def slow(row: list[Any]) -> Any:
        return predict_one(model.estimator, one_row_frame(model.spec.features, row), model.has_probabilities)

    shown = [name]
    for predict, count, form in ((slow, repeats, ",.0f"), (model.predict_values, chosen.requests, ",.1f")):
        predict(rows[0])
        rounds = [microseconds(predict, rows, count) for _ in range(chosen.rounds)]
        shown.append(f"{statistics.median(rounds):{form}} µs")
    return [*shown, *(beside(model, cells, chosen, is_json) for is_json in (False, True))]


def main() -> None:
    """Measure and print; after Ctrl-C what there is so far."""
    chosen = options(__doc__, {"rounds": (9, 1), "requests": (300, 3)}, only="")
    warnings.simplefilter("ignore")
    import estimators

    large = large_forests(400 if chosen.quick else 20_000)
    lines: list[list[str]] = []
    with suppress(KeyboardInterrupt):
        for name, case in {**estimators.CASES, WIDE: wide(), **large}.items():
            if chosen.only in name:
                repeats = 1 if chosen.quick or name in large else 15
                lines += measured_or_not(name, case, chosen, repeats)
    print(tables(lines))


def measured_or_not(name: str, case: Any, chosen: argparse.Namespace, repeats: int) -> list[list[str]]:
    """Return the line of an estimator, or none if its package is not installed."""
    import pytest

    print(f"estimators: {name}", file=sys.stderr, flush=True)
    try:
        return [measure(name, case, chosen, repeats)]
    except pytest.skip.Exception as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return []


def tables(lines: list[list[str]]) -> str:
    """Return the table of this section."""
    return table(COLUMNS, lines)


if __name__ == "__main__":
    main()
