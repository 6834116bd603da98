"""Refreshes that a server runs for whoever has its token: progress, refusal, cancelling, and the end of the server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gadgets
import pytest
from conftest import Server, is_running, wait_until

from irislib import train
from irislib._modeling import store
from irislib._refresh import runs

HEADERS = {"Authorization": "Bearer right"}
CSV = {**HEADERS, "Content-Type": "text/csv"}
PATH = "/gadgets/refresh"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a version, for the servers of a test."""
    root = tmp_path / "store"
    monkeypatch.setenv("IRISLIB_STORE", str(root))
    monkeypatch.setenv("GADGETS_HOLD", str(tmp_path / "hold"))
    store.publish(train(gadgets.spec), root, kind="train")
    return root


@pytest.fixture
def hold(tmp_path: Path, root: Path) -> Path:
    """A file for as long as which a refresh goes on."""
    return tmp_path / "hold"


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[Server]:
    token = tmp_path / "token"
    token.write_text("right")
    args = ("--model", "gadgets:spec", "--workers", "2", "--token-file", str(token))
    server = Server(tmp_path / "log", "api", *args).wait()
    yield server
    if server.process.poll() is None:
        server.stop()


def csv(seed: int, **changes: Any) -> bytes:
    data = gadgets.make_data(seed).astype(object)
    for name, value in changes.items():
        data.loc[3, name] = value
    return data.to_csv(index=False).encode()


def wait_for_end(server: Server, path: str) -> dict[str, Any]:
    return wait_until(lambda: (run := server.get(path, headers=HEADERS).json())["state"] != "running" and run)


def test_rows_that_are_sent_become_a_version(server: Server, root: Path) -> None:
    started = server.post(f"{PATH}?note=May", headers=CSV, data=csv(1))
    path = started.headers["Location"]
    assert (started.status_code, started.json()["state"], path) == (202, "running", f"{PATH}/{started.json()['id']}")
    seen = []

    def ended() -> bool:
        run = server.get(path, headers=HEADERS).json()
        seen.append((run["fraction"], run["stage"]))
        return run["state"] != "running"

    wait_until(ended)
    assert seen == sorted(seen, key=lambda step: (step[0], runs.STAGES.index(step[1])))
    run = server.get(path, headers=HEADERS).json()
    entry = store.current_entry("gadgets", root)
    assert (run["state"], run["fraction"], run["entry"]) == ("accepted", 1.0, 2) == ("accepted", 1.0, entry.number)
    assert run["result"].startswith(f"{entry.version} is the current version of gadgets now (entry 2)")
    assert (entry.note, entry.details["run"]) == ("May", run["id"])
    # rows that are not valid
    path = server.post(PATH, headers=CSV, data=csv(2, size_m=11)).headers["Location"]
    run = wait_for_end(server, path)
    assert (run["state"], run["problem_rows"]) == ("failed", 1)
    [problem] = run["problems"]
    assert (problem["row"], problem["feature"]) == (5, "size_m")
    assert run["result"].splitlines()[1] == f"row 5: {problem['message']}"
    assert store.current_entry("gadgets", root).number == 2
    # requests that begin nothing
    for query, status, text in [
        ("?replac=1", 422, "Did you mean 'replace'?"), ("?replace=yes", 422, "replace must be 0 or 1"),
        ("?force=1", 422, "say why in note"), ("?skip_bad_rows=1", 422, "for the rows of a file"),
    ]:  # fmt: skip
        refused = server.post(f"{PATH}{query}", headers=HEADERS)
        assert (refused.status_code, refused.headers["Content-Type"]) == (status, "application/problem+json")
        assert text in refused.json()["detail"]
    assert server.post(PATH, headers={**HEADERS, "Content-Type": "image/png"}, data=b"x").status_code == 415
    assert server.get(f"{PATH}/../../token", headers=HEADERS).status_code == 404
    assert len(server.get(PATH, headers=HEADERS).json()["runs"]) == 2
    # who has no token, and a browser that sends a password by itself
    assert server.post(PATH).status_code == 401
    assert server.post(PATH, auth=("user", "right")).status_code == 401
    assert server.get(PATH, auth=("user", "right")).status_code == 200
    assert server.get(PATH).status_code == 401


def test_one_at_a_time_which_ends_when_it_is_cancelled_killed_or_its_server_stops(
    server: Server, root: Path, hold: Path
) -> None:
    hold.touch()
    path = server.post(PATH, headers=HEADERS).headers["Location"]
    second = server.post(PATH, headers=CSV, data=csv(1))
    run = server.get(path, headers=HEADERS).json()
    assert (second.status_code, second.json()["run"]) == (409, run["id"])
    assert f"process {run['pid']} of {run['by']}" in second.json()["detail"]
    cancelled = server.post(f"{path}/cancel", headers=HEADERS).json()
    assert cancelled["state"] == "cancelled"
    wait_until(lambda: not is_running(run["pid"]))  # it lets go of its lock a moment before
    assert server.post(f"{path}/cancel", headers=HEADERS).json() == cancelled  # it has ended
    # killed
    path = server.post(PATH, headers=HEADERS).headers["Location"]
    pid = server.get(path, headers=HEADERS).json()["pid"]
    os.kill(pid, signal.SIGKILL)
    run = wait_for_end(server, path)
    assert (run["state"], run["result"].partition(":")[0]) == ("failed", "It ended without a result")
    # the server stops; its record stays
    path = server.post(PATH, headers=HEADERS).headers["Location"]
    run = wait_until(lambda: (run := server.get(path, headers=HEADERS).json())["stage"] == "read" and run)
    server.process.send_signal(signal.SIGKILL)  # without a farewell, and its workers notice
    ended = wait_until(lambda: (found := runs.find("gadgets", run["id"], root)).state != "running" and found)
    wait_until(lambda: not is_running(run["pid"]))
    assert (ended.state, ended.result) == ("cancelled", "Its server was stopped; the current version stays.")
    assert store.current_entry("gadgets", root).number == 1


def test_a_server_without_a_token_refuses(api: Server) -> None:
    for response in (api.post("/iris-wizard/refresh"), api.get("/iris-wizard/refresh")):
        assert response.status_code == 403
        assert "--token-file" in response.json()["detail"]
