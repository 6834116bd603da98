"""A search by joblib's processes of this machine, and by one and two workers of a Dask cluster, in turns.

The last figure is of a search that loses one of two workers in its midst. All give the same model.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

import irislib


def load_data(rows: int = 3_000) -> pd.DataFrame:
    """Return rows with ten numbers and a class."""
    numbers = np.random.default_rng(0)
    table = pd.DataFrame({f"x{i}": numbers.normal(size=rows).round(3) for i in range(10)})
    return table.assign(kind=np.where(table.sum(axis=1) + numbers.normal(size=rows) > 0, "yes", "no"))


def search() -> irislib.ModelSpec:
    """Return a search of 18 fits."""
    grid = {"max_depth": [4, 6, 8], "min_samples_leaf": [1, 5]}
    estimator = GridSearchCV(RandomForestClassifier(20), grid, cv=3)
    features = irislib.infer_features(load_data(100).drop(columns="kind"))
    features = [irislib.Feature(feature.name, low=-100, high=100) for feature in features]
    return irislib.ModelSpec(name="search", features=features, target="kind", load_data=load_data, estimator=estimator)


@contextmanager
def workers(count: int) -> Iterator[Any]:
    """Start a cluster whose workers are not replaced."""
    import distributed

    options: Any = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(
        n_workers=count, threads_per_worker=1, host="127.0.0.1", scheduler_kwargs=options, silence_logs=50
    ) as cluster:
        yield cluster


def lose_one(cluster: Any, seconds: float) -> None:
    """Kill the process of a worker after a while; its nanny starts another one."""
    import psutil

    time.sleep(seconds)
    psutil.Process(cluster.workers[0].pid).kill()


def main() -> None:
    """Print the median seconds of each way, and what a lost worker costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    data, spec, digests = load_data(), search(), set()

    def timed(train: Callable[[], irislib.Model]) -> float:
        start = time.monotonic()
        digests.add(joblib.hash(train().estimator.best_estimator_))
        return time.monotonic() - start

    def by_processes() -> irislib.Model:
        with joblib.parallel_config("loky", n_jobs=2):
            return irislib.train(spec, data)

    with ExitStack() as stack:
        one, two = (stack.enter_context(workers(count)) for count in (1, 2))

        def on(cluster: Any) -> Callable[[], irislib.Model]:
            return lambda: irislib.train(spec, data, scheduler=cluster.scheduler_address)

        ways = {"joblib's processes (2)": by_processes, "1 worker": on(one), "2 workers": on(two)}
        seconds: dict[str, list[float]] = {name: [] for name in (*ways, "2 workers, one of them lost")}
        for train in ways.values():
            train()  # each process imports
        for _ in range(rounds):
            for name, train in ways.items():
                seconds[name].append(timed(train))
            threading.Thread(target=lose_one, args=(two, seconds["2 workers"][-1] / 2)).start()
            seconds["2 workers, one of them lost"].append(timed(on(two)))
            two.wait_for_workers(2)
            on(two)()  # the new worker imports
    for name, times in seconds.items():
        print(f"{name:<28} {statistics.median(times):6.1f} s  ({min(times):.1f} to {max(times):.1f})")
    print("the same model each time" if len(digests) == 1 else f"{len(digests)} different models")


if __name__ == "__main__":
    main()
