"""A stored model comes back as it was, whole or not at all; what was served is a log that nobody can tear."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import gadgets
import numpy as np
import pandas as pd
import pytest
from conftest import FUZZ, Server, wait_until
from sklearn.ensemble import RandomForestClassifier

from irislib import Model, drift, train
from irislib._modeling import registry, store
from irislib._modeling.estimator_file import dump_estimator
from irislib._modeling.following import Follower, find_followers
from irislib._modeling.model_file import join_parts
from irislib._prediction_log.options import LogOptions
from irislib._refresh import runs
from irislib._refresh.refreshing import refresh
from irislib._refresh.request import Request
from irislib._store import versions as version_files
from irislib._store.entries import Entry, append
from irislib._store.files import files_of, parse_root
from irislib.api import Options, create_app
from irislib.cli import main
from irislib.errors import StoreError, UnknownModelError


@pytest.fixture(scope="module")
def iris(iris: Model) -> Model:
    """The Iris Wizard with few trees, whose files are written and read quickly."""
    return train(replace(iris.spec, estimator=RandomForestClassifier(5, random_state=0)))


def versions(root: Path, name: str = "iris-wizard") -> list[Path]:
    """The files of a model's versions, without those that are being written."""
    return sorted((root / name / "versions").glob("[!.]*"))


def rewrite(file: Path, part: str, content: bytes) -> None:
    """Put another content in a part of a model's file."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | {part: content}
    file.write_bytes(join_parts(*(parts[name] for name in ("model.json", "estimator.skops"))))


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_a_stored_model_is_read_unchanged(name: str, tmp_path: Path, request) -> None:
    model = request.getfixturevalue(name)
    entry = store.save(model, tmp_path)
    back = store.read(model.spec, tmp_path)
    assert (back.version, back.trained_at, back.data) == (model.version, model.trained_at, model.data)
    assert back.coverage == model.coverage
    assert back.evaluation.metrics == model.evaluation.metrics == entry.metrics
    pd.testing.assert_frame_equal(back.evaluation.features, model.evaluation.features)
    rows = model.evaluation.features
    np.testing.assert_array_equal(back.estimator.predict(rows), model.estimator.predict(rows))
    assert [file.name for file in versions(tmp_path, model.spec.name)] == [entry.file]
    assert store.save(model, tmp_path) == entry  # it is current already


def test_saves_at_the_same_time_do_not_disturb_each_other(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_content", one_content(iris))
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(store.publish, iris, tmp_path, note=str(i)) for i in range(16)]
        written = [future.result() for future in futures]
    assert store.read(iris.spec, tmp_path).version == iris.version
    log = store.entries("iris-wizard", tmp_path)
    assert [entry.number for entry in log] == [*range(16, 0, -1)]
    assert {entry.note for entry in log} == {entry.note for entry in written} == {*map(str, range(16))}
    assert [file.name for file in versions(tmp_path)] == [log[0].file]  # the same content: the same file
    assert not list(tmp_path.rglob(".*"))


def test_the_store_is_its_owners_alone(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_an_empty_store_returns_none(iris, tmp_path: Path) -> None:
    assert store.read(iris.spec, tmp_path) is None
    assert store.current("iris-wizard", tmp_path / "nowhere") is None


def test_a_model_of_another_spec_is_not_read(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path)
    assert store.read(replace(iris.spec, random_state=3), tmp_path) is None
    assert store.read(iris.spec, tmp_path) is not None


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_failed_write_keeps_the_stored_version(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.save(iris, tmp_path)
    newer = replace(iris, version="newer")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    if call == "link":  # a file system without links, which is full besides
        monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(StoreError, match="No space left on device"):
        store.save(newer, tmp_path)
    assert store.read(iris.spec, tmp_path).version == iris.version
    assert len(versions(tmp_path)) == 1
    assert not list(tmp_path.glob("*/*/.*[!k]"))


@pytest.mark.parametrize("spoilt", ["model.json", "estimator.skops"])
def test_a_spoilt_file_is_an_error_not_a_wrong_model(iris, tmp_path: Path, spoilt: str) -> None:
    store.save(iris, tmp_path)
    [file] = versions(tmp_path)
    sound = file.read_bytes()
    for content in (sound[:100], b"{}", b"[]", b""):
        file.write_bytes(content)
        with pytest.raises(StoreError, match="cannot be read"):
            store.read(iris.spec, tmp_path)
        file.write_bytes(sound)
        rewrite(file, spoilt, content)
        with pytest.raises(StoreError, match="cannot be read"):
            store.read(iris.spec, tmp_path)
    store.save(iris, tmp_path)  # training again mends it
    assert store.read(iris.spec, tmp_path).version == iris.version


def test_a_file_in_the_place_of_another_one_is_an_error(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path)
    entry = store.publish(replace(iris, version="newer"), tmp_path)
    folder = tmp_path / "iris-wizard" / "versions"
    [former] = (file for file in versions(tmp_path) if file.name != entry.file)
    (folder / entry.file).write_bytes(former.read_bytes())  # sound, but not what the name is of
    for read in (
        lambda: store.load("iris-wizard", tmp_path),
        lambda: store.read(iris.spec, tmp_path),
        lambda: store.load_for(iris.spec, tmp_path, entry),
        lambda: store.load_entry("iris-wizard", tmp_path, entry),
    ):
        with pytest.raises(StoreError, match=rf"{entry.file} is spoilt"):
            read()
    store.save(replace(iris, version="newer"), tmp_path / "session", source=tmp_path)  # which takes no such file over
    assert store.load("iris-wizard", tmp_path / "session").version == "newer"


def test_the_record_is_plain_json_without_nan(rent, tmp_path: Path) -> None:
    store.save(rent, tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    with zipfile.ZipFile(versions(tmp_path, "flat-rent")[0]) as archive:
        record = json.loads(archive.read("model.json"), parse_constant=refuse)
    assert None in record["model"]["evaluation"]["features"]["rooms"]


def test_a_type_that_the_spec_does_not_have_is_not_loaded(iris, tmp_path: Path) -> None:
    import skops.io

    entry = store.save(iris, tmp_path)
    rewrite(versions(tmp_path)[0], "estimator.skops", skops.io.dumps({"estimator": Path("/tmp")}))  # noqa: S108
    files = files_of(tmp_path)
    file = version_files.put(files, "iris-wizard", iris.version, versions(tmp_path)[0].read_bytes())
    append(files, "iris-wizard", replace(entry, file=file))  # as who can write the store would publish it
    with pytest.raises(StoreError, match="asks for what is not loaded: pathlib"):
        store.read(iris.spec, tmp_path)


def fork(work: Callable[[], object]) -> int:
    """Do something in a child, which ends with 0 if it succeeds."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.__stderr__)
            os._exit(1)
    return child


# what the operating system is asked for by a writer, and so the moments at which it can be killed
STEPS = ("open", "os.listdir", "os.link", "os.mkdir", "os.remove", "os.rename")
forking = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 about threads


def die_after(steps: int) -> None:
    """Kill this process at a later one of the moments at which it asks the operating system for something."""

    def count(event: str, args: object) -> None:
        nonlocal steps
        if event in STEPS:
            steps -= 1
            if steps < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


@forking
def test_a_writer_killed_at_any_moment_leaves_the_old_version_or_the_new_one(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRISLIB_STORE_KEEP", "3")
    monkeypatch.setattr(store, "_content", one_content(iris))
    models = [replace(iris, version=f"v{number}") for number in range(4)]
    for model in models:
        store.publish(model, tmp_path)
    moments, current, outcomes = random.Random(0), models[-1].version, set()  # noqa: S311

    def publish_and_die(model: object, steps: int) -> None:
        die_after(steps)
        store.publish(model, tmp_path)

    for number in range(100 * FUZZ):
        model = models[number % 4]
        steps = moments.randrange(45)
        status = os.waitpid(fork(lambda model=model, steps=steps: publish_and_die(model, steps)), 0)[1]
        assert status in (0, signal.SIGKILL)
        now = store.read(iris.spec, tmp_path).version
        assert now in ({model.version} if status == 0 else {current, model.version})
        outcomes.add((status, now == model.version))
        current = now
    assert outcomes == {(0, True), (signal.SIGKILL, True), (signal.SIGKILL, False)}
    log = store.entries("iris-wizard", tmp_path)
    assert [entry.number for entry in log] == [*range(len(log), 0, -1)]
    for leftover in tmp_path.rglob("*.irislib*"):
        os.utime(leftover, (time.time() - 7200,) * 2)
    for leftover in tmp_path.rglob("entries/.*"):
        os.utime(leftover, (time.time() - 7200,) * 2)
    assert list(tmp_path.rglob(".*"))
    store.publish(replace(iris, version="last"), tmp_path)
    assert not list(tmp_path.rglob(".*"))
    log = store.entries("iris-wizard", tmp_path)
    assert {file.name for file in versions(tmp_path)} == set(list(dict.fromkeys(entry.file for entry in log))[:3])


@forking
def test_two_writers_publish_in_order_and_readers_go_on_meanwhile(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRISLIB_STORE_KEEP", "1")
    monkeypatch.setattr(store, "_content", one_content(iris))
    store.publish(iris, tmp_path)

    def publish(writer: str) -> None:
        for number in range(20):
            store.publish(replace(iris, version=f"{writer}{number}"), tmp_path, note=writer)

    children = [fork(lambda writer=writer: publish(writer)) for writer in "ab"]
    while children:
        assert store.read(iris.spec, tmp_path) is not None
        child, status = os.waitpid(children[0], os.WNOHANG)
        assert status == 0
        children = children[1:] if child else children
    log = store.entries("iris-wizard", tmp_path)
    assert [entry.number for entry in log] == [*range(41, 0, -1)]
    for writer in "ab":
        written = [entry.version for entry in reversed(log) if entry.note == writer]
        assert written == [f"{writer}{number}" for number in range(20)]


def one_content(model: object) -> Callable[[object, bool], bytes]:
    """A function that makes the files of models quickly that differ in their version alone."""
    with zipfile.ZipFile(BytesIO(store._content(model, False))) as archive:
        record, estimator = json.loads(archive.read("model.json")), archive.read("estimator.skops")

    def content(other: object, is_compressed: bool) -> bytes:
        facts = {**record, "model": {**record["model"], "version": other.version}}
        return join_parts(json.dumps(facts), estimator, is_compressed)

    return content


def test_a_prediction_log_goes_to_a_bucket_and_is_read_there(iris, s3: str, tmp_path: Path) -> None:
    log = LogOptions.of_server({"prediction_log": f"{s3}/log", "prediction_log_spool": str(tmp_path)})
    app = create_app([iris], options=Options(log=log))
    row = iris.evaluation.features.iloc[0].to_dict()
    for _ in range(40):
        assert app.test_client().post("/iris-wizard", json=row).status_code == 200
    app.end()
    assert "40 predictions" in drift(iris, f"{s3}/log").text
    assert not [*tmp_path.glob("*.jsonl")]


@pytest.fixture(params=["folder", "memory", "s3"])
def root(request, tmp_path: Path) -> Path | str:
    """The root of an empty store."""
    if request.param == "folder":
        return tmp_path
    if request.param == "memory" and not os.environ.get("CI"):
        pytest.importorskip("fsspec")
    return "memory://store" if request.param == "memory" else request.getfixturevalue("s3")


def test_versions_are_published_refused_and_rolled_back_in_every_kind_of_store(
    iris, root: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_content", one_content(iris))
    monkeypatch.setenv("IRISLIB_STORE_KEEP", "3")
    name = iris.spec.name
    one, two, three = (replace(iris, version=version) for version in ("one", "two", "three"))
    assert store.names(root) == []
    with pytest.raises(UnknownModelError, match=r"There is no model 'iris-wizard' in .* It has: none"):
        store.rollback(name, root)
    one.publish(root, note="the first")
    with pytest.raises(StoreError, match="one is the only version"):
        store.rollback(name, root)
    two.publish(root)
    assert store.read(iris.spec, root).version == "two"
    entry = store.publish(three, root, kind="refresh", serves=False, reason="It is worse.", seconds=3.5)
    assert (entry.number, entry.seconds, entry.reason) == (3, 3.5, "It is worse.")
    assert entry.metrics == iris.evaluation.metrics
    assert store.read(iris.spec, root).version == store.current(name, root) == "two"
    assert store.load(name, root, "three").version == "three"
    assert store.entries_after(name, root, 1) == [*reversed(store.entries(name, root)[:2])]
    assert store.entries_after(name, root, 3) == []

    assert store.rollback(name, root, note="two is slow").version == "one"
    assert store.read(iris.spec, root).version == "one"
    assert store.rollback(name, root, "3").version == "three"  # the number of an entry
    with pytest.raises(StoreError, match="three is the current version of iris-wizard already"):
        store.rollback(name, root, "thr")
    with pytest.raises(UnknownModelError, match="no version 'x' of iris-wizard"):
        store.rollback(name, root, "x")
    log = store.entries(name, root)
    assert [entry.kind for entry in log] == ["rollback", "rollback", "refresh", "publish", "publish"]
    assert "@" in log[0].by

    with ThreadPoolExecutor(4) as threads:
        others = [replace(iris, version=f"four{number}") for number in range(4)]
        list(threads.map(lambda model: store.publish(model, root), others))
    log = store.entries(name, root)
    assert [entry.number for entry in log] == [*range(9, 0, -1)]
    assert store.names(root) == [name]
    assert store.read(iris.spec, root).version == log[0].version
    with pytest.raises(StoreError, match="The file of version one of iris-wizard was deleted"):
        store.rollback(name, root, "one")


def test_a_follower_takes_what_becomes_current_and_refuses_once_what_it_cannot_load(
    iris, root: Path | str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    root = root / "followed" if isinstance(root, Path) else f"{root}/followed"
    other = replace(iris, version="other", spec=replace(iris.spec, random_state=3))
    contents = one_content(iris), one_content(other)
    monkeypatch.setattr(store, "_content", contents[0])
    name, spec = iris.spec.name, iris.spec
    follower = Follower(name, root, spec)
    assert follower.poll() is None  # the store is empty
    assert follower.looked_at

    def publish(version: str, **facts: object) -> Entry:
        return store.publish(replace(iris, version=version), root, **facts)

    def take() -> str | None:
        if (model := follower.take()) is None:
            return None
        follower.serve(model.entry)
        return model.version

    assert publish("one").number == 1
    assert (take(), take(), follower.served.number) == ("one", None, 1)
    publish("kept", serves=False)
    assert take() is None
    publish("two")
    publish("three")
    publish("kept too", serves=False)
    assert (take(), follower.served.number) == ("three", 4)  # the newest of several
    store.rollback(name, root, "two")
    assert (take(), follower.served.kind) == ("two", "rollback")
    assert Follower(name, root, spec, follower.served).take() is None

    monkeypatch.setattr(store, "_content", contents[1])
    publish("other")
    assert (take(), take(), follower.n_refused) == (None, None, 1)  # and it is not tried again
    refusal = follower.status()["refused"]
    assert (refusal["version"], follower.served.version) == ("other", "two")
    assert refusal["reason"] == "It is of another description or made elsewhere; these differ here: random_state."
    assert f"version other (number 7) cannot be served here, and is not taken. {refusal['reason']}" in caplog.text
    alone = Follower(name, root)  # of a server that has no description
    assert alone.take().spec.random_state == 3
    monkeypatch.setattr(store, "_content", contents[0])
    store.rollback(name, root)
    assert (take(), follower.served.number, follower.refused) == (None, 8, None)  # what is served is current again
    store.rollback(name, root, "one")
    assert take() == "one"


def test_a_server_takes_a_model_by_its_name_from_a_store_in_the_network(iris, s3: str, tmp_path: Path) -> None:
    root = f"{s3}/served"
    store.publish(iris, root)
    (tmp_path / "t").mkdir()
    environment = {"IRISLIB_STORE": root, "IRISLIB_FOLLOW": "0.1", "TMPDIR": str(tmp_path / "t")}
    server = Server(tmp_path / "log", "api", "--model", "iris-wizard", "--workers", "1", **environment).wait()
    try:
        for number, version in ((2, "newer"), (3, "newest")):
            store.publish(replace(iris, version=version), root)
            wait_until(lambda v=version: server.get("/readyz").json()["models"]["iris-wizard"]["version"] == v)
            assert server.post("/iris-wizard", data=iris.spec.examples["A large virginica"]).json() == "virginica"
            state = server.get("/readyz").json()["models"]["iris-wizard"]["store"]
            assert (state["number"], state["reached"]) == (number, True)
            assert not [path for path in (tmp_path / "t").rglob("*.irislib") if path.is_file()]
    finally:
        assert server.stop() == 0
    assert list((tmp_path / "t").iterdir()) == []
    assert "Traceback" not in server.text()


def test_a_follower_tries_again_a_store_that_cannot_be_read(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(store, "_content", one_content(iris))
    entry = store.publish(iris, tmp_path)
    follower = Follower(iris.spec.name, tmp_path, iris.spec, entry)
    newer = store.publish(replace(iris, version="newer"), tmp_path)
    file = tmp_path / iris.spec.name / "versions" / newer.file
    content = file.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("the network is down")

    with monkeypatch.context() as patch:
        patch.setattr(store, "entries_after", fail)
        for _ in range(3):
            assert follower.take() is None
            follower._next_try = 0.0
    file.unlink()  # as in a copy of the store in which the entries come first
    for _ in range(3):
        assert follower.take() is None
        assert follower._next_try > 0
        follower._next_try = 0.0
    assert not follower.status()["reached"]
    assert (follower.n_refused, caplog.text.count("is tried again")) == (0, 1)
    file.write_bytes(content)
    assert follower.take().version == "newer"
    assert follower.status()["reached"]
    assert caplog.text.count("can be read again") == 1
    file.write_bytes(content[:100])
    assert follower.take() is None
    assert follower.status()["refused"]["reason"].endswith("is spoilt: its content is not what was written.")
    follower.refuse(newer, f"There is no {file}, nor s3://key:secret@bucket/models")
    assert f"There is no {file}, nor" in caplog.text
    assert follower.status()["refused"]["reason"] == "There is no …, nor …."  # readiness needs no token


def test_only_what_is_the_stores_is_followed(iris, rent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaded", {iris.spec: iris})
    monkeypatch.setattr(registry, "_resolved", {})
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "store"))
    file = rent.save(tmp_path / "rent.irislib")
    run(["publish", str(file), "--name", "a-flat"])
    followers = find_followers([str(file), "irislib.iris:spec", "a-flat"])
    assert [*followers] == ["iris-wizard", "a-flat"]
    follower = followers["a-flat"]
    assert (follower.spec, follower.served.number) == (None, 1)
    replace(registry.load("a-flat"), version="newer").publish()
    registry.use(model := follower.take())
    assert registry.load(registry.resolve("a-flat")) is registry.load("a-flat") is model


def test_a_refresh_publishes_and_reads_its_rows_at_a_url(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # where its records are
    spec, root, file = gadgets.spec, f"{s3}/refreshed", tmp_path / "new.csv"
    store.publish(train(spec), root, kind="train")
    for number in (2, 3):
        gadgets.make_data(number, 100).to_csv(file, index=False)
        entry = refresh(spec, root, Request(file)).entry
        assert (entry.number, entry.serves) == (number, True)
    assert store.read(spec, root).data["rows"] == 400 + 200
    assert runs.latest(spec.name, root).entry == 3
    assert list(tmp_path.glob(f"irislib/models/{spec.name}/refreshes/*/run.json"))


def test_a_rollback_is_not_undone_by_data_that_changed(iris, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a")
    files = [{"path": str(data), "size": 1, "mtime": 0, "digest": "another"}]
    store.publish(replace(iris, data_files=files), tmp_path / "store")
    assert store.read(iris.spec, tmp_path / "store") is None
    store.publish(replace(iris, data_files=[]), tmp_path / "store")
    store.rollback(iris.spec.name, tmp_path / "store")
    assert store.read(iris.spec, tmp_path / "store").data_files == files


def test_a_store_of_before_is_read_and_brought_over(iris, tmp_path: Path) -> None:
    from irislib._modeling.model_record import to_record
    from irislib._modeling.staleness import dependencies

    for version in ("old", "older"):
        folder = tmp_path / "iris-wizard" / version
        folder.mkdir(parents=True)
        model = replace(iris, version=version, trained_at=f"{version}")
        record = {**to_record(model), **dependencies(iris.spec), "data_files": []}
        (folder / "model.json").write_text(json.dumps(record))
        (folder / "estimator.skops").write_bytes(dump_estimator(iris.estimator))
    (tmp_path / "iris-wizard" / "current").write_text("old")
    assert store.read(iris.spec, tmp_path).version == store.current("iris-wizard", tmp_path) == "old"
    assert store.names(tmp_path) == ["iris-wizard"]
    assert [entry.version for entry in store.entries("iris-wizard", tmp_path)] == ["old", "older"]

    store.publish(iris, tmp_path)
    assert sorted(path.name for path in (tmp_path / "iris-wizard").iterdir()) == ["entries", "versions"]
    log = store.entries("iris-wizard", tmp_path)
    assert [(entry.version, entry.serves) for entry in log] == [(iris.version, True), ("old", True), ("older", False)]
    assert log[2].at == "older"
    assert store.rollback("iris-wizard", tmp_path).version == "old"
    assert store.read(iris.spec, tmp_path).trained_at == "old"
    with pytest.raises(StoreError, match="can be read by its description alone"):
        store.load("iris-wizard", tmp_path)


def test_a_published_model_needs_no_module(
    iris, rent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("irislib.iris.spec", iris.spec)
    root = tmp_path / "store"
    monkeypatch.setenv("IRISLIB_STORE", str(root))
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(registry, "_resolved", {})

    def own(model: object) -> str:
        return ""

    with pytest.raises(UnknownModelError, match=r"There is no module 'flowers' here.*The store is empty"):
        registry.resolve("flowers")
    file = iris.save(tmp_path / "iris.irislib")
    run(["publish", str(file), "--name", "my-flowers", "--note", "of the spring"])
    assert f"my-flowers {iris.version} is published as number 1, and current." in capsys.readouterr().out
    spec = replace(iris.spec, tabs={"Own": [own]})
    replace(iris, spec=spec).publish(root)
    flower = iris.spec.examples["A large virginica"]
    for reference in ("my-flowers", "iris-wizard"):
        spec = registry.resolve(reference)
        assert registry.load(spec).predict_row(flower).prediction == "virginica"
        assert registry.load(reference).version == iris.version
    assert "of its tabs these functions are left out: own" in caplog.text
    run(["predict", "--model", "my-flowers", *(f"{key}={value}" for key, value in flower.items())])
    assert "virginica" in capsys.readouterr().out
    with pytest.raises(UnknownModelError, match=r"In the store there are: iris-wizard, my-flowers\."):
        registry.resolve("flowers")

    # a file has what it was made from: who has the description uses it as if it had been trained here
    iris.save(tmp_path / "again.irislib")
    monkeypatch.setattr(registry, "_loaded", {})
    run(["publish", str(tmp_path / "again.irislib")])
    assert store.read(iris.spec, root).trained_at == iris.trained_at

    capsys.readouterr()
    run(["versions", "my-flowers"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["number", "kind", "version", "when"]
    assert lines[2].startswith("*")
    for text in (iris.version, "accuracy 0.9", "of the spring"):
        assert text in lines[2]
    run(["versions", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert {name: len(log) for name, log in listed.items()} == {"iris-wizard": 2, "my-flowers": 1}
    run(["rollback", "--model", "iris-wizard", "--note", "no"])
    assert f"iris-wizard {iris.version} is current again, by number 3." in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"Give the model by --model NAME\. In .* iris-wizard, my-flowers"):
        main(["rollback"])


def run(args: list[str]) -> None:
    """Run a command, which succeeds."""
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 0, ended.value.code


def test_an_answer_that_nfs_has_lost_makes_no_second_entry(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_content", one_content(iris))
    store.publish(iris, tmp_path)
    link, lost = os.link, []

    def lose_answer(source: Path, target: Path) -> None:
        link(source, target)
        if target.suffix == ".json" and not lost:
            lost.append(target)
            link(source, target)  # the request, sent again

    monkeypatch.setattr(os, "link", lose_answer)
    assert store.publish(iris, tmp_path).number == 2
    assert len(store.entries("iris-wizard", tmp_path)) == 2


def test_a_store_is_a_folder_or_a_url(tmp_path: Path) -> None:
    for text in (str(tmp_path), tmp_path.as_uri(), f"file:{tmp_path}"):
        assert parse_root(text) == tmp_path
    assert parse_root("memory:store") == "memory://store"
    assert parse_root("simplecache::s3://bucket/models") == "simplecache::s3://bucket/models"
    with pytest.raises(StoreError, match=r"gs://bucket needs more libraries: pip install 'irislib\[stores\]'"):
        store.current("iris-wizard", "gs://bucket")  # the tests have no library for it
