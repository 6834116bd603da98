"""A full temporary folder costs metrics, never a prediction; a batch is refused with the reason."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, descendants, wait_until
from invalid_inputs import GOOD
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from irislib._modeling import store
from irislib._prediction_log.reading import read_records
from irislib.api import create_app
from irislib.api._metrics_files import INITIAL_BYTES, AllocatedDict
from irislib.errors import StoreError

HEADERS = {"Content-Type": "text/csv"}


def refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def values(numbers: AllocatedDict) -> dict[str, float]:
    return {key: value for key, value, _ in numbers.read_all_values()}


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files in memory here")
@pytest.mark.parametrize("moment", ["before", "later"])
def test_numbers_go_on_in_memory_if_there_is_no_room(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "counter_0.db"
    if moment == "before":
        monkeypatch.setattr(os, "posix_fallocate", refuse)
    numbers = AllocatedDict(str(path))
    numbers.write_value("first", 1.0, 0.0)
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    many = {f"{'key' * 30}-{i}": float(i) for i in range(2 * INITIAL_BYTES // 100)}
    for key, value in many.items():
        numbers.read_value(key)
        numbers.write_value(key, value, 0.0)
    assert values(numbers) == {"first": 1.0, **many}
    numbers.close()
    assert path.exists() == (moment == "later")
    if path.exists():
        assert next(AllocatedDict.read_all_values_from_file(path))[0] == "first"


def test_metrics_are_read_while_a_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allocate = os.posix_fallocate
    read: list[object] = []

    def read_and_allocate(*args: int) -> None:
        for _ in range(2):
            read.append(list(MultiProcessCollector(CollectorRegistry(), str(tmp_path)).collect()))  # type: ignore[no-untyped-call]
            allocate(*args)

    monkeypatch.setattr(os, "posix_fallocate", read_and_allocate)
    numbers = AllocatedDict(str(tmp_path / "counter_0.db"))
    numbers.write_value(json.dumps(["requests", "requests_total", {}, ""]), 1.0, 0.0)
    monkeypatch.undo()
    assert read == [[], []]
    (metric,) = MultiProcessCollector(CollectorRegistry(), str(tmp_path)).collect()  # type: ignore[no-untyped-call]
    assert metric.samples[0].value == 1
    numbers.close()


def test_the_blocks_of_a_file_are_allocated_before_they_are_written(tmp_path: Path) -> None:
    AllocatedDict(str(tmp_path / "counter_0.db")).close()
    assert (tmp_path / "counter_0.db").stat().st_blocks * 512 >= INITIAL_BYTES


def test_a_batch_that_no_file_has_room_for_is_507(iris: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app([iris]).test_client()
    for error, status in ((errno.ENOSPC, 507), (errno.EIO, 500)):

        def fail(error: int = error) -> None:
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr("tempfile.TemporaryFile", fail)
        answer = client.post("/iris-wizard/batch", data="a", headers=HEADERS)
        assert answer.status_code == answer.get_json()["status"] == status
        assert ("temporary folder is full" in answer.get_json()["detail"]) == (status == 507)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Write a file until the disk is full."""
    with (disk / "rest").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_of_the_store_leaves_the_version_that_is_there(iris: Any, small_disk: Path) -> None:
    root = small_disk / "store"
    iris.publish(root)
    fill(small_disk)
    reason = re.escape(f"iris-wizard cannot be stored in {root}: No space left on device.")
    with pytest.raises(StoreError, match=f"^{reason}$"):
        iris.publish(root)
    assert [entry.number for entry in store.entries("iris-wizard", root)] == [1]
    assert store.load("iris-wizard", root).predict_row(GOOD).prediction == "virginica"


def log_entries(server: Server, outcome: str) -> float:
    found = re.search(
        rf'irislib_prediction_log_entries_total{{outcome="{outcome}"}} (\S+)', server.get("/metrics").text
    )
    return float(found[1]) if found else 0


def test_no_prediction_is_lost_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    folder = small_disk / "predictions"
    options = ("--workers", "2", "--prediction-log", str(folder))
    server = Server(tmp_path / "log", "api", *options, TMPDIR=str(small_disk)).wait()
    try:
        wait_until(lambda: server.text().count("Booting worker") == 2)
        assert server.post("/iris-wizard", json=GOOD, headers={"X-Request-ID": "first"}).status_code == 200
        wait_until(lambda: log_entries(server, "written") == 1)
        fill(small_disk)
        for worker in descendants(server.process.pid):  # new ones open the files of the metrics anew
            os.kill(worker, signal.SIGTERM)
        wait_until(lambda: server.text().count("Booting worker") == 4)
        for number in range(100):
            assert server.post("/iris-wizard", json=GOOD).json() == "virginica"
            assert server.post("/iris-wizard", json={str(number): 1}).status_code == 422
            assert server.get(f"/nothing/{number}").status_code == 404
        body = ",".join(GOOD) + "\n" + (",".join(map(str, GOOD.values())) + "\n") * 1000
        refused = server.post("/iris-wizard/batch", data=body, headers=HEADERS)
        assert refused.status_code == 507
        assert "temporary folder is full" in json.loads(refused.text)["detail"]
        wait_until(lambda: log_entries(server, "lost") > 0)
        feedback = {
            "request_id": "first",
            "right_answer": "virginica",
            "note": "x" * 1000,
        }  # more than the last block has
        status = {server.post("/iris-wizard/feedback", json=feedback).status_code for _ in range(5)}
        assert 507 in status
        assert "No space left on device. Predictions are answered as before." in server.text()
        (small_disk / "rest").unlink()
        assert server.post("/iris-wizard/batch", data=body, headers=HEADERS).text.count(",virginica,") == 1000
        wait_until(lambda: log_entries(server, "written") > 1)
        for worker in descendants(server.process.pid):
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: server.text().count("Booting worker") == 6)
        assert server.post("/iris-wizard", json=GOOD, headers={"X-Request-ID": "last"}).status_code == 200
    finally:
        assert server.stop() == 0
    written = [record["request_id"] for record in read_records(folder)]
    assert (written[0], written.count("last")) == ("first", 1)  # what waited was written when the server ended
    assert "SIGBUS" not in server.text()
