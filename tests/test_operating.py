"""What an operator goes by: the operating page, its tables and its runbook."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from irislib import Model
from irislib._modeling import store
from irislib._modeling.model_file import join_parts, read_model, stored_record
from irislib._store import versions
from irislib._store.copying import copy_store
from irislib._store.files import files_of
from irislib.cli import main
from irislib.errors import StoreError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
EARLIER = ROOT / "tests" / "data" / "earlier"
PAGE = (DOCS / "operating.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def docs() -> Iterator[ModuleType]:
    """Return the module that makes the tables."""
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("settings")
    finally:
        sys.path.remove(str(DOCS))


def test_the_tables_of_the_operating_page_are_up_to_date(docs: ModuleType) -> None:
    assert docs.renewed(PAGE) == PAGE, "run `make settings`"
    assert [match[2] for match in docs.SECTION.finditer(PAGE)] == [*docs.TABLES]


def test_every_line_that_says_that_something_is_wrong_has_advice(docs: ModuleType) -> None:
    import log_lines
    from log_advice import ADVICE

    lines = log_lines.lines()
    assert not [line for line in lines if line.text.startswith("?")], "docs/log_lines.py: add them to COMPUTED"
    worst = [line for line in lines if line.level != "info"]
    assert len(worst) > 50
    assert not [line for line in worst if not line.text.startswith((*ADVICE,))], "docs/log_advice.py lacks these"
    assert not [begin for begin in ADVICE if not any(line.text.startswith(begin) for line in worst)], "no such lines"


def names_of_tests() -> set[str]:
    """Return the names of all tests."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    return set(re.findall(r"def (test_\w+)\(", source))


@pytest.mark.parametrize("page", ["operating.md", "security.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / page).read_text(encoding="utf-8")))
    assert len(named) > 20
    assert not named - names_of_tests()


def republished(model: Model, version: str, root: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a model as another version, without the second that its estimator takes to be proved."""
    content = join_parts(json.dumps({**json.loads(stored_record(model)), "note": version}), b"PK", False)
    monkeypatch.setattr(store, "_content", lambda *_, **__: content)
    store.publish(replace(model, version=version), root)


def current_of(root: Path | str, name: str) -> tuple[str, list[int]]:
    """Return the current version that has its file, and the numbers of all entries."""
    files, known = files_of(root), store.entries(name, root)
    there = {*files.names(f"{name}/versions")}
    return next(e.version for e in known if e.serves and e.file in there), [e.number for e in known]


def test_every_copy_that_is_made_while_versions_are_published_can_be_served(
    iris: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRISLIB_STORE_KEEP", "3")
    name, root, done = iris.spec.name, tmp_path / "store", threading.Event()
    republished(iris, "v0", root, monkeypatch)

    def write() -> None:
        try:
            for number in range(1, 16):
                republished(iris, f"v{number}", root, monkeypatch)
        finally:
            done.set()

    writer, seen = threading.Thread(target=write), []
    writer.start()
    while not done.is_set() or not seen:
        number = len(seen)
        subprocess.run(["cp", "-a", root, tmp_path / f"cp{number}"], check=False, stderr=subprocess.DEVNULL)
        (copied,) = copy_store(root, tmp_path / f"backup{number}")
        seen.append(copied.current)
        plain, _ = current_of(tmp_path / f"cp{number}", name)  # whatever is missing, something can be served
        version, numbers = current_of(tmp_path / f"backup{number}", name)
        assert (
            version == copied.current == store.current(name, tmp_path / f"backup{number}")
        )  # and here what was current
        assert numbers == [*range(numbers[0], 0, -1)]
        assert int(plain[1:]) <= 15
        assert not list((tmp_path / f"backup{number}").rglob(".*"))
    writer.join()
    assert len({*seen}) > 1


def test_a_backup_is_restored_whole_and_takes_the_place_of_nothing_newer(
    iris: Model, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, local = iris.spec.name, tmp_path / "store"
    iris.publish(local, note="the first")
    for version in ("two", "three"):
        republished(iris, version, local, monkeypatch)
    store.rollback(name, local, "1", "two is slow")
    store.try_candidate(name, local, "three", 0.25)
    (local / name / "data").mkdir()
    (local / name / "data" / "0123.json.gz").write_bytes(b"rows")
    for there in (f"{s3}/backup", str(tmp_path / "backup")):
        for place in (["backup", there, "--store", str(local)], ["restore", there, "--store", f"{there}-restored"]):
            assert run(place) == 0
            assert f"current version is {iris.version}" in capsys.readouterr().out
        restored = f"{there}-restored"
        assert store.entries(name, restored) == store.entries(name, local)
        assert store.candidate_entry(name, restored).version == "three"
        assert store.load(name, restored).predict_row(iris.spec.examples["A large virginica"]).prediction == "virginica"
        assert files_of(restored).read(f"{name}/data/0123.json.gz") == b"rows"
        assert run(["backup", there, "--store", str(local)]) == 0
        assert ", 0 of them new" in capsys.readouterr().out

        republished(iris, "newest", restored, monkeypatch)  # after the backup
        refused = run(["restore", there, "--store", restored])
        assert "has 1 entries that are not in what would be copied there, up to number 6" in str(refused)
        assert store.current(name, restored) == "newest"
        assert run(["restore", there, "--store", restored, "--force"]) == 0
        assert store.current(name, restored) == iris.version
    file = next((tmp_path / "backup" / name / "versions").glob("two-*"))
    file.write_bytes(file.read_bytes()[:-1])
    assert "is spoilt" in str(run(["restore", str(tmp_path / "backup"), "--store", str(tmp_path / "other")]))
    assert store.current(name, tmp_path / "other") is None
    assert "There are no models in" in str(run(["backup", str(tmp_path / "x"), "--store", str(tmp_path / "empty")]))
    assert "There is no such model" in str(run(["backup", str(tmp_path / "x"), "--store", str(local), "--model", "b"]))


def test_a_store_and_a_file_of_an_earlier_irislib_are_read_and_continued(tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(EARLIER / "store", root)
    assert [entry.note for entry in store.entries("sticks", root)] == ["depth 2", "depth 1"]
    row = {"length": 7, "width": 1}
    for model in (store.load("sticks", root), read_model(EARLIER / "format-1.irislib")):
        assert model.predict_row(row).prediction == "long"
        model.publish(root)
    assert store.rollback("sticks", root, "1").version == store.entries("sticks", EARLIER / "store")[1].version
    assert [entry.number for entry in store.entries("sticks", root)] == [5, 4, 3, 2, 1]
    assert [model.files for model in copy_store(EARLIER / "store", tmp_path / "backup")] == [2]


def test_what_a_later_irislib_has_written_is_refused_with_its_version(tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(EARLIER / "store", root)
    entry = store.entries("sticks", root)[0]
    path = root / "sticks" / "versions" / entry.file
    with zipfile.ZipFile(path) as archive:
        record, estimator = json.loads(archive.read("model.json")), archive.read("estimator.skops")
    later = join_parts(json.dumps({**record, "format": 99, "irislib": "9.9"}), estimator)
    file = versions.put(files_of(root), "sticks", entry.version, later)
    newest = root / "sticks" / "entries" / "00000002.json"
    newest.write_text(json.dumps({**json.loads(newest.read_text()), "file": file, "unheard-of": 1}))
    with pytest.raises(StoreError, match=r"was written by irislib 9\.9, in another format"):
        store.load("sticks", root)
    assert store.rollback("sticks", root, "1").number == 3  # the log is read all the same, and so is what is older
    assert store.load("sticks", root).predict_row({"length": 7, "width": 1}).prediction == "long"


def run(args: list[str]) -> object:
    """Run a command in this process, and return its status, or its message."""
    with pytest.raises(SystemExit) as ended:
        main(args)
    return ended.value.code or 0
