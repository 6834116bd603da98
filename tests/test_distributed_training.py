"""Training on a Dask cluster: a real scheduler with two real workers, as processes."""

from __future__ import annotations

import functools
import importlib
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from conftest import COMMANDS, PATIENCE, os, run_irislib, wait_until

import irislib
from irislib._modeling import store as stores
from irislib.errors import IrislibError, UserCodeError

pytest.importorskip("distributed")

from irislib._distributed import cluster as clusters
from irislib._distributed import fits

# A module that the workers do not have: it is in a folder of the test's own.
SEARCHES = """
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from irislib import Feature, ModelSpec

FEATURES = [Feature("a", low=0, high=20), Feature("b", low=0, high=20)]


def load_data():
    numbers = np.random.default_rng(0)
    table = pd.DataFrame({name: numbers.normal(5, 1, 900).round(2).clip(0, 20) for name in "ab"})
    return table.assign(kind=np.where(table.a + table.b + numbers.normal(0, 1, 900) > 10, "yes", "no"))


def spec(name, estimator):
    return ModelSpec(name=name, features=FEATURES, target="kind", load_data=load_data, estimator=estimator)


def logarithm(rows):
    return np.log1p(rows)


class Waiting(TransformerMixin, BaseEstimator):
    # each fit on a worker leaves a file, and waits for one

    def __init__(self, folder="", number=0):
        self.folder, self.number = folder, number

    def fit(self, rows, target=None):
        if self.folder and os.getpid() != int(Path(self.folder, "here").read_text()):
            Path(self.folder, f"{time.time_ns()}-{os.getpid()}.begun").touch()
            while not Path(self.folder, "go").exists():
                time.sleep(0.05)
        return self

    def transform(self, rows):
        return rows


class Forest(RandomForestClassifier):
    def predict_proba(self, rows):
        assert effective_n_jobs(None) == 1  # threads would add up the trees in any order
        return super().predict_proba(rows)


class Failing(ClassifierMixin, BaseEstimator):
    def fit(self, rows, target):
        raise ValueError("it is out of order")


pipeline = make_pipeline(Waiting(), FunctionTransformer(logarithm), Forest(5))
grid = spec("grid", GridSearchCV(pipeline, {"forest__max_depth": [2, 4, 6]}, cv=3))
halving = spec("halving", HalvingGridSearchCV(pipeline, {"forest__max_depth": [2, 4, 6, 8]}, cv=2))
forest = spec("forest", RandomForestClassifier(30))
failing = spec("failing", VotingClassifier([("one", LogisticRegression()), ("other", Failing())]))
waiting = spec("waiting", GridSearchCV(make_pipeline(Waiting(), LogisticRegression()), {}, cv=2))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module of the searches."""
    folder = tmp_path_factory.mktemp("searches")
    (folder / "searches.py").write_text(SEARCHES)
    return folder


@pytest.fixture(scope="module")
def searches(folder: Path) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("searches")
        del sys.modules["searches"]


def waiting_search(searches: Any, folder: Path, count: int) -> Any:
    """A search whose fits wait for the file `go` in a folder."""
    (folder / "here").write_text(str(os.getpid()))
    from dataclasses import replace

    from sklearn.base import clone

    search = clone(searches.waiting.estimator)
    parameters = {"waiting__number": list(range(count)), "waiting__folder": [str(folder)]}
    return replace(searches.waiting, estimator=search.set_params(param_grid=parameters))


def fitted(estimator: Any) -> Any:
    return getattr(estimator, "best_estimator_", estimator)


@pytest.fixture(scope="module")
def trained_here() -> Callable[[Any], Any]:
    """A function that trains a model without a cluster, once."""
    return functools.cache(irislib.train)


def test_a_search_on_a_cluster_gives_the_same_model(
    cluster, folder: Path, searches: Any, trained_here: Any, tmp_path: Path
) -> None:
    address, _ = cluster
    models = [f"--model=searches:{name}" for name in ("grid", "halving")]
    run = run_irislib(
        "train", *models, "--scheduler", address, cwd=folder, IRISLIB_STORE=str(tmp_path),
        code="import irislib._refresh.progress_line as p; p.LOG_SECONDS = 0",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert re.search(r"^Training Grid: [1-8] of 9 fits, \d+ s left$", run.stderr, re.M), run.stderr
    assert "Training Grid: 9 of 9 fits\n" in run.stderr
    assert "Training Halving: step 2, 4 of 4 fits\n" in run.stderr
    for spec in (searches.grid, searches.halving):
        stores.publish(trained_here(spec), tmp_path / "here")
        here, there = (stores.load(spec.name, root) for root in (tmp_path / "here", tmp_path))
        assert there.version == here.version
        assert (there.evaluation.y_proba == here.evaluation.y_proba).all()
        assert there.evaluation.metrics == here.evaluation.metrics


def test_each_part_is_the_same_and_the_users_code_stays_his_own(cluster, searches: Any, trained_here: Any) -> None:
    for spec in (searches.grid, searches.halving, searches.forest):
        here, there = trained_here(spec).estimator, irislib.train(spec, scheduler=cluster[0]).estimator
        assert joblib.hash(fitted(there)) == joblib.hash(fitted(here))
        for name, values in getattr(here, "cv_results_", {}).items():
            if "time" not in name:
                assert np.array_equal(there.cv_results_[name], values), name
        if spec is not searches.forest:
            assert fitted(there)[1].func is searches.logarithm
    with pytest.raises(UserCodeError, match=r"ValueError: it is out of order \(.*searches.py, line \d+\)"):
        irislib.train(searches.failing, scheduler=cluster[0])


def test_a_table_is_no_part_of_a_call_and_a_missing_module_is_named() -> None:
    table = np.zeros(100_000)
    content, names = fits.pack_call(lambda: table, lambda value: str(id(value)))
    assert len(content) < fits.LARGE
    assert names == {str(id(table))}
    with pytest.raises(IrislibError, match="The workers have no module absent: install it there"):
        fits.result_of(fits.run_call(b"cabsent\nname\n.", frozenset(), {}))


def test_ctrl_c_cancels_what_waits_on_the_cluster(cluster, folder: Path, searches: Any, tmp_path: Path) -> None:
    import distributed

    search = waiting_search(searches, tmp_path, 10)
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import searches\n"
    code += f"searches.waiting.estimator.set_params(param_grid={search.estimator.param_grid!r})"
    args = ("train", "--model", "searches:waiting", "--scheduler", cluster[0])
    env = {**os.environ, "IRISLIB_STORE": str(tmp_path)}
    command = COMMANDS.run(args, folder, env, tmp_path / "out", tmp_path / "err", code=code)
    wait_until(lambda: command.poll() is not None or len([*tmp_path.glob("*.begun")]) == 2)
    assert command.poll() is None, (tmp_path / "err").read_text()
    with distributed.Client(cluster[0], set_as_default=False) as client:
        assert any(client.processing().values())
        command.send_signal(signal.SIGINT)
        assert command.wait(PATIENCE) == 130
        wait_until(lambda: not any(client.processing().values()))
    (tmp_path / "go").touch()
    assert len([*tmp_path.glob("*.begun")]) == 2


def test_a_lost_worker_loses_only_its_own_fits(cluster, searches: Any, tmp_path: Path, monkeypatch) -> None:
    import distributed

    address, workers = cluster
    search = waiting_search(searches, tmp_path, 4)
    with ThreadPoolExecutor(1) as thread:
        training = thread.submit(irislib.train, search, scheduler=address)
        wait_until(lambda: training.done() or len([*tmp_path.glob("*.begun")]) == 2)
        workers[0].kill()
        wait_until(lambda: training.done() or len([*tmp_path.glob("*.begun")]) == 2)
        (tmp_path / "go").touch()
        model = training.result(PATIENCE)
    assert len([*tmp_path.glob("*.begun")]) == 8 + 1
    assert joblib.hash(fitted(model.estimator)) == joblib.hash(fitted(irislib.train(search).estimator))
    with distributed.Client(address, set_as_default=False) as client:
        workers[1].kill()
        wait_until(lambda: not client.nthreads())
    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 1)
    with pytest.raises(IrislibError, match=f"^The Dask scheduler at {address} has no workers."):
        irislib.train(search, scheduler=address)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 0.5)


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of what takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("localhost", "'localhost' is no address of a Dask scheduler, such as tcp://10.0.0.5:8786 or tls://…: missing"),
        ("http://localhost:80", "'http://localhost:80' is no address of a Dask scheduler"),
        ("tls://127.0.0.1:1", "There is no TLS certificate for tls://127.0.0.1:1: set distributed.comm.tls in Dask's"),
        ("tcp://127.0.0.1:1", "No Dask scheduler answers at tcp://127.0.0.1:1 within 0 seconds: "),
    ],
)
def test_an_address_where_no_scheduler_is_gets_a_sentence(impatient: None, address: str, sentence: str) -> None:
    with pytest.raises(IrislibError, match=f"^{re.escape(sentence)}"), clusters.connect(address):
        pass


def test_something_else_at_the_address_is_not_waited_for(impatient: None, mute: str) -> None:
    with pytest.raises(IrislibError, match=f"^No Dask scheduler answers at {mute} "), clusters.connect(mute):
        pass
