"""Servers take what becomes current in the store: within seconds, and without one failed or mixed request."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server, wait_until

from irislib._modeling import store
from irislib._modeling.following import Follower
from irislib._serving.shared_record import SharedRecord
from irislib._serving.store_watch import StoreWatch

NAME = "iris-wizard"


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The benchmark, which is a module of its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        import following as benchmark

        yield benchmark


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def models(following: Any, iris: Any, root: Path) -> list[Any]:
    """Models that answer differently; the first of them is current."""
    made = following.versions_of(iris.spec, 3)
    store.save(made[0], root)
    return made  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def servers(models: list[Any], root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers on one store, as on two machines."""
    folder = tmp_path_factory.mktemp("servers")
    environment = {"IRISLIB_STORE": str(root), "IRISLIB_FOLLOW": "0.1"}
    both = [Server(folder / f"log{i}", "api", "--workers", str(2 - i), **environment) for i in range(2)]
    for server in both:
        server.wait()
    yield both
    for server in both:
        assert server.stop() == 0
        assert "Traceback" not in server.text(), server.text()


def served(server: Server) -> dict[str, Any]:
    """What readiness says of the model; each worker may be asked."""
    return server.get("/readyz").json()["models"][NAME]  # type: ignore[no-any-return]


def wait_for_entry(server: Server, number: int) -> dict[str, Any]:
    """Wait until all workers serve an entry."""
    wait_until(lambda: {served(server)["store"]["number"] for _ in range(6)} == {number})
    return served(server)


def test_each_answer_is_of_the_version_it_names_and_none_fails(
    following: Any, servers: list[Server], models: list[Any], root: Path
) -> None:
    """Six versions are published and rolled back under load; `benchmarks/following.py` sends 20,000 requests."""
    spec = models[0].spec
    rows = spec.load_data()[spec.feature_names].to_dict("records")[::5]
    answers = {model.version: following.answers_of(model, rows) for model in models}
    assert len(set(map(str, answers.values()))) == 3
    load = following.Load(servers[0].port, NAME, rows, answers, 500, pause=0.05)
    threads = load.run()
    for number in range(6):
        following.swap(load, models, number, root)
    load.is_over = True
    for thread in threads:
        thread.join()
    assert (load.failures, load.mixed) == ([], [])
    assert load.sent >= 500
    assert set(load.versions) == set(answers)
    entry = store.current_entry(NAME, root)
    assert entry.number == 7
    for server in servers:
        assert wait_for_entry(server, entry.number)["version"] == entry.version
        assert server.text().count("is served from now on") <= 6


def candidate_of(server: Server) -> dict[str, Any]:
    """What readiness says of the candidate, once all workers say the same."""
    states = [served(server).get("candidate", {}) for _ in range(6)]
    return states[0] if all(state == states[0] for state in states) else {"mode": "several"}


def counted(server: Server, version: str) -> dict[str, float]:
    """What is counted of a candidate, over all workers."""
    begin = f'irislib_candidate_rows_total{{model="{NAME}",outcome="'
    found = [line.removeprefix(begin) for line in server.get("/metrics").text.splitlines() if line.startswith(begin)]
    return {line.partition('"')[0]: float(line.rpartition(" ")[2]) for line in found if f'"{version}"' in line}


def test_a_candidate_is_tried_by_every_worker_until_it_is_withdrawn(
    following: Any, servers: list[Server], models: list[Any], root: Path
) -> None:
    current = store.current(NAME, root)
    now = next(model for model in models if model.version == current)
    other = next(model for model in models if model.version != current)
    rows = now.spec.load_data()[now.spec.feature_names].drop_duplicates().to_dict("records")
    right = {model.version: [model.predict_row(row).prediction for row in rows] for model in (now, other)}

    def ask() -> list[str]:
        versions = []
        for i, row in enumerate(rows):
            server = servers[i % 2]
            answer = server.post(f"/{NAME}", data=row)
            versions.append(answer.headers["X-Model-Version"])
            assert (answer.status_code, answer.json()) == (200, right[versions[-1]][i])
        return versions

    store.publish(other, root, kind="candidate", serves=False, details=store.candidate_details(0.3))
    tried = {"version": other.version, "mode": "share", "share": 0.3}
    for server in servers:
        wait_until(lambda server=server: candidate_of(server) == tried)
    versions = ask()
    servers.reverse()  # the other server gives each row to the same version
    assert ask() == versions
    assert 0.15 < versions.count(other.version) / len(versions) < 0.45
    sums = [counted(server, other.version) for server in servers]
    assert sum(one["answered"] for one in sums) == 2 * versions.count(other.version)
    assert sum(one["current"] for one in sums) == 2 * versions.count(current)

    features = [replace(feature, high=29.0) for feature in now.spec.features]
    strange = replace(other, spec=replace(other.spec, features=features), version="strange")
    entry = store.publish(strange, root, kind="candidate", serves=False, details=store.candidate_details(None))
    for server in servers:
        wait_until(lambda server=server: "refused" in candidate_of(server))
        refused = candidate_of(server)["refused"]
        assert (refused["version"], refused["number"]) == ("strange", entry.number)
        assert refused["reason"] == f"A candidate must have the inputs of the current version, {current}."

    store.try_candidate(NAME, root, other.version, None)
    for server in servers:
        wait_until(lambda server=server: candidate_of(server) == {"version": other.version, "mode": "shadow"})
    assert {*ask()} == {current}
    different = sum(a != b for a, b in zip(right[current], right[other.version], strict=True))
    wait_until(lambda: sum(counted(server, other.version)["compared"] for server in servers) == len(rows))
    assert sum(counted(server, other.version)["different"] for server in servers) == different > 0
    store.withdraw(NAME, root)
    for server in servers:
        wait_until(lambda server=server: candidate_of(server) == {})
    servers.reverse()


def test_a_version_that_cannot_be_loaded_is_not_taken_and_readiness_metrics_and_log_say_so(
    servers: list[Server], models: list[Any], root: Path
) -> None:
    before = served(servers[0])
    stranger = replace(models[1], spec=replace(models[1].spec, random_state=3), version="stranger")
    entry = store.publish(stranger, root)
    expected = {"version": "stranger", "number": entry.number}
    reason = "It is of another description or made elsewhere; these differ here: random_state."
    for server in servers:
        wait_until(lambda server=server: "refused" in served(server)["store"])
        state = served(server)
        assert state["store"]["refused"] == {**expected, "reason": reason}
        number = before["store"]["number"]
        assert (state["version"], state["store"]["number"]) == (before["version"], number)
        assert server.text().count("version stranger") == 1
        text = server.get("/metrics").text
        assert f'irislib_model_entry{{model="{NAME}"}} {number}.0' in text
        assert f'irislib_model_refused{{model="{NAME}",version="stranger"}} 1.0' in text
        assert f'irislib_model_refusals_total{{model="{NAME}"}} 1.0' in text
        assert f'irislib_store_read_timestamp_seconds{{model="{NAME}"}} 1' in text
    store.rollback(NAME, root)  # to what is served; nothing is loaded
    for server in servers:
        assert wait_for_entry(server, entry.number + 1)["version"] == before["version"]
        assert "refused" not in served(server)["store"]
        assert "irislib_model_refused{" not in server.get("/metrics").text

    servers[0].process.send_signal(signal.SIGHUP)  # it goes on following
    wait_until(lambda: "Hang up" in servers[0].text())
    newest = store.publish(next(model for model in models if model.version != before["version"]), root)
    for server in servers:
        assert wait_for_entry(server, newest.number)["version"] == newest.version


def test_a_file_that_ends_the_process_that_loads_it_harms_nobody(
    iris: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(NAME, tmp_path, iris.spec)
    monkeypatch.setattr(follower, "load", lambda entry: os.kill(os.getpid(), signal.SIGKILL))
    entry = store.publish(iris, tmp_path)
    watch = StoreWatch({NAME: follower}, 0.01)
    watch.start()
    wait_until(lambda: watch.finding() is None and follower.n_refused)
    assert follower.refused.entry == entry
    assert "has ended, as for want of memory" in watch.record.read()[NAME]["refused"]["reason"]
    assert "cannot be served here, and is not taken" in caplog.text
    monkeypatch.undo()
    store.publish(replace(iris, version="newer"), tmp_path)
    watch.start()
    wait_until(watch.finding)
    assert follower.candidate.version == "newer"
    watch.start()
    watch.end()
    assert not watch.finding()


def test_a_process_that_cannot_be_started_is_tried_later_and_takes_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = StoreWatch({}, 0.01)

    def fork() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    before = {*os.listdir("/proc/self/fd")}
    with pytest.raises(BlockingIOError):  # which the server logs
        watch.start()
    assert len({*os.listdir("/proc/self/fd")} - before) <= 1  # that of the list itself
    watch.start()  # and not each second


def test_a_record_is_read_whole_while_it_is_written() -> None:
    record = SharedRecord(100_000)
    assert record.read() == {}
    child = os.fork()
    if not child:
        for number in range(300):
            record.write({"n": number, "all": [number] * 10_000})
        os._exit(0)
    while not os.waitpid(child, os.WNOHANG)[0]:
        read = record.read()
        assert not read or set(read["all"]) == {read["n"]}
    assert record.read()["n"] == 299
    with pytest.raises(ValueError, match="too large"):
        record.write({"all": [0] * 100_000})
