"""Benchmark of many rows: the endpoint's batch beside pandas with the estimator, in process and over `irislib api`.

    python benchmarks/many_rows.py --rows 1000000      # prints a table

Each measurement has a process of its own, and the ways take turns. What is measured is CPU time: it depends less on
what else the machine does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from processes import CpuTime, running_server
from report import options, ratio, spread, table, turns

ROOT = Path(__file__).resolve().parents[1]
IRIS = {
    "sepal_length_cm": (4.3, 7.9),
    "sepal_width_cm": (2, 4.4),
    "petal_length_cm": (1, 6.9),
    "petal_width_cm": (0.1, 2.5),
}
CASES = {  # the model, and what the rows are
    "iris": ("irislib.iris:spec", "4 numbers, rows of the data"),
    "random": ("irislib.iris:spec", "4 numbers, random: nearly all rows are novel"),
    "wide": ("thirty:spec", "30 numbers, rows of the data"),
    "mixed": ("rent:spec", "a gap, a choice, yes or no, a date and a number"),
    "warned": ("irislib.iris:spec", "all rows outside the training data"),
    "ambiguous": ("many_rows:thousands", "numbers such as 1,234"),
}  # fmt: skip
ROWS = 60_000
WAYS = {"pandas": "pandas and the estimator", "irislib": "irislib, in process", "api": "over `irislib api`"}


def thousands() -> Any:
    """Return a model of prices and distances in thousands, written with commas."""
    from sklearn.ensemble import RandomForestClassifier

    from irislib import Feature, ModelSpec

    def load_data() -> Any:
        import numpy as np
        import pandas as pd

        data = pd.DataFrame(np.random.default_rng(0).integers(1_000, 100_000, (400, 4)), columns=list("abcd"))
        return data.assign(kind=np.where(data.sum(axis=1) > 202_000, "much", "little"))

    features = [Feature(name, "integer") for name in "abcd"]
    return ModelSpec("thousands", features, "kind", load_data, RandomForestClassifier(random_state=0))


def make_rows(case: str, model: Any, count: int) -> Any:
    """Return a table of rows."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    if case == "random":
        return pd.DataFrame({name: rng.uniform(*ends, count).round(1) for name, ends in IRIS.items()})
    if case == "warned":
        return pd.DataFrame({name: rng.uniform(high + 1, 25, count).round(1) for name, (_, high) in IRIS.items()})
    rows = model.spec.load_data().sample(count, replace=True, random_state=0)
    rows = rows[list(model.spec.columns)].set_axis(model.spec.feature_names, axis=1)
    return rows.map("{:,}".format) if case == "ambiguous" else rows


def write_rows(case: str, model: Any, count: int, path: str) -> None:
    """Write a table of rows as CSV; ambiguous numbers with a column that shows what they mean."""
    table = make_rows(case, model, count)
    if case == "ambiguous":
        table.iloc[0, 0] = "1,234.0"
    table.to_csv(path, index=False)


def predict_by_pandas(model: Any, path: str, result: str) -> None:
    """Write the columns that the endpoint adds, without warnings, problems and checks."""
    import pandas as pd

    spec, estimator = model.spec, model.estimator
    dates = [feature.name for feature in spec.features if feature.kind == "date"]
    table = pd.read_csv(path, parse_dates=dates, thousands=",")
    rows = table.set_axis(spec.columns, axis=1)
    if model.classes is None:
        table[f"predicted_{spec.target}"] = estimator.predict(rows)
    else:
        shares = estimator.predict_proba(rows)
        table[f"predicted_{spec.target}"] = estimator.classes_.take(shares.argmax(axis=1))
        table[[f"probability_{name}" for name in model.classes]] = shares.round(6)
    table.assign(warnings="", problems="").to_csv(result, index=False)


def predict_by_endpoint(model: Any, path: str, result: str) -> None:
    """Write the answer of the endpoint."""
    from irislib.api import Options, create_app

    client = create_app([model], options=Options()).test_client()
    with open(path, "rb") as body, open(result, "wb") as file:
        url = f"/{model.spec.name}/batch"
        response = client.post(url, input_stream=body, content_length=os.path.getsize(path), content_type="text/csv")
        file.writelines(response.iter_encoded())
        assert response.status_code == 200, response.text


def measure(case: str, way: str, count: int) -> None:
    """Print the seconds of CPU of one way, its peak of memory and the bytes of its answer, as JSON."""
    import resource

    import irislib

    model = irislib.load(CASES[case][0])
    predict = {"pandas": predict_by_pandas, "irislib": predict_by_endpoint}[way]
    with tempfile.TemporaryDirectory() as folder:
        path, result = f"{folder}/rows.csv", f"{folder}/result.csv"
        write_rows(case, model, 100, path)
        predict(model, path, result)  # the first time imports
        if os.fork() == 0:  # so that its memory is not that of this process
            write_rows(case, model, count, path)
            os._exit(0)
        os.wait()
        start = time.process_time()
        predict(model, path, result)
        seconds, size = time.process_time() - start, os.path.getsize(result)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "bytes": size}))


def measure_server(case: str, count: int) -> dict[str, float]:
    """Return what `measure` prints, of `irislib api` with one worker."""
    import irislib

    model = irislib.load(CASES[case][0])
    command = [sys.executable, "-m", "irislib", "api", "--workers=1", f"--model={CASES[case][0]}"]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/rows.csv"
        write_rows(case, model, count, path)
        python_path = os.pathsep.join(sys.path)
        with running_server(command, "/readyz", Path(folder, "log"), PYTHONPATH=python_path) as server:
            url, size = f"{server.url}/{model.spec.name}/batch", 0
            headers = {"Content-Type": "text/csv", "Content-Length": str(os.path.getsize(path))}
            cpu = CpuTime(server.marked)
            with open(path, "rb") as body, urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
                while piece := answer.read(1 << 20):
                    size += len(piece)
            seconds = cpu.measure()
            peaks = [Path(f"/proc/{pid}/status").read_text() for pid in server.child_pids()]
    peak = max(int(text.partition("VmHWM:")[2].split()[0]) for text in peaks) / 1024
    return {"seconds": seconds, "peak": peak, "bytes": size}


def run(case: str, way: str, count: int) -> dict[str, float]:
    """Measure one way, in a process of its own."""
    if way == "api":
        return measure_server(case, count)
    command = [sys.executable, __file__, "--only", case, "--way", way, "--rows", str(count)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads that wait in busy loops would be counted
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print medians."""
    chosen = options(__doc__, {"rounds": (3, 1), "rows": (ROWS, 2_000)}, only="", way="")
    if chosen.way:  # in a process of its own
        measure(chosen.only, chosen.way, chosen.rows)
        return
    measured: dict[str, dict[str, list[dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory(prefix="irislib-") as store:
        os.environ["IRISLIB_STORE"] = store  # each model is trained once
        for case in [chosen.only] if chosen.only else CASES:
            measured[case] = {way: [] for way in WAYS}
            for way in turns(list(WAYS), chosen.rounds):
                measured[case][way].append(run(case, way, chosen.rows))
            print(f"many rows: {CASES[case][1]}", file=sys.stderr, flush=True)
    print(tables(measured, chosen.rows))


def tables(measured: Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]], count: int = ROWS) -> str:
    """Return the table of this section.

    Parameters
    ----------
    measured : mapping
        What `measure` prints, of each round of each way of each case.
    count : int
        The number of rows.
    """
    lines = []
    for case, results in measured.items():
        cells = [CASES[case][1]]
        seconds = {way: [one["seconds"] * 1e6 / count for one in results[way]] for way in WAYS}
        for way in WAYS:
            peak = spread([one["peak"] for one in results[way]], "{:.0f} MB").partition(" (")[0]
            cells.append(f"{spread(seconds[way], '{:.1f} s')}, {peak}")
        size = spread([one["bytes"] / count for one in results["irislib"][:1]], "{:.0f} MB")
        lines.append([*cells, ratio(seconds["irislib"], seconds["pandas"]), size])
    head = [f"CPU of a million rows, and peak memory, of {count:,} rows", *WAYS.values()]
    return table([*head, "irislib beside pandas", "its answer to a million rows"], lines)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]
    main()
