"""A server trains once: it takes a stored model, and trains anew when a file of its data has changed."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from irislib._modeling import data_files, registry, store
from irislib._modeling.data_files import describe_changed, record_reads
from irislib._serving import startup

ORCHARD = """
from pathlib import Path
import pandas as pd
from sklearn.linear_model import Ridge
from irislib import Feature, ModelSpec

FOLDER = Path(__file__).parent
{top}

def load_data():
    return {data}

spec = ModelSpec("orchard", [Feature("x", low=0, high=1000)], "y", load_data, Ridge(), title="Orchard")
"""
ONE_FILE = {"top": "", "data": 'pd.read_csv(FOLDER / "trees.csv")'}
LOADERS = {
    "one file": ONE_FILE,
    "at import": {"top": 'ROWS = pd.read_csv(FOLDER / "trees.csv")', "data": "ROWS.copy()"},
    "a folder": {"top": "", "data": 'pd.concat(map(pd.read_csv, sorted(FOLDER.glob("*.csv"))))'},
    "a database": {
        "top": """
import sqlite3
from contextlib import closing

def read_database():
    with closing(sqlite3.connect(FOLDER / "trees.db")) as connection:
        return pd.read_sql("SELECT * FROM trees", connection)
""",
        "data": "read_database()",
    },
}


@pytest.fixture
def orchard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """A function that writes a module with its data and loads its model as a server does."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "models"))

    def start(loader: dict[str, str] = ONE_FILE, is_stored: bool = True) -> Any:
        (tmp_path / "orchard.py").write_text(ORCHARD.format(**loader))
        if not (tmp_path / "trees.csv").exists():
            write(tmp_path, 20)
        sys.modules.pop("orchard", None)
        registry._resolved.pop("orchard:spec", None)
        importlib.invalidate_caches()
        return startup.load_models([registry.resolve("orchard:spec")], is_stored)[0]

    monkeypatch.setattr(data_files, "_at_import", {})
    caplog.set_level(logging.INFO, logger="irislib")
    monkeypatch.setattr(logging.getLogger("irislib"), "propagate", True)
    yield start
    sys.modules.pop("orchard", None)


def write(folder: Path, rows: int, factor: int = 2) -> None:
    """Write the data, as a file and as a database."""
    import sqlite3

    import pandas as pd

    frame = pd.DataFrame({"x": range(rows), "y": [factor * x for x in range(rows)]})
    frame.to_csv(folder / "trees.csv", index=False)
    connection = sqlite3.connect(folder / "trees.db")
    frame.to_sql("trees", connection, index=False, if_exists="replace")
    connection.close()


def test_the_second_start_does_not_train(orchard, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = orchard()
    assert "Training Orchard on 16 rows…" in caplog.text
    assert "Orchard is trained and stored (" in caplog.text
    caplog.clear()
    second = orchard()
    assert second.trained_at == first.trained_at
    assert "Training" not in caplog.text
    assert "UTC; its data are unchanged (trees.csv)." in caplog.text
    store.publish(second, tmp_path / "models", kind="refresh", compare_files=False)
    write(tmp_path, 30)
    caplog.clear()
    orchard()
    assert "Training" not in caplog.text
    assert "UTC; its data are not compared with those of now, for a refresh or a rollback" in caplog.text


@pytest.mark.parametrize("loader", LOADERS)
def test_changed_data_are_trained_on_and_the_log_names_the_file(
    orchard, tmp_path: Path, caplog: pytest.LogCaptureFixture, loader: str
) -> None:
    first = orchard(LOADERS[loader])
    write(tmp_path, 20, factor=3)
    caplog.clear()
    second = orchard(LOADERS[loader])
    file = tmp_path / ("trees.db" if loader == "a database" else "trees.csv")
    assert f"these have changed: the file {file}" in caplog.text
    assert second.version != first.version
    assert second.predict({"x": 10})[0] == pytest.approx(30, abs=1)
    caplog.clear()
    orchard(LOADERS[loader])
    assert "Training" not in caplog.text


def test_a_new_file_in_a_folder_of_data_is_noticed_and_one_of_another_kind_is_not(orchard, tmp_path: Path) -> None:
    first = orchard(LOADERS["a folder"])
    (tmp_path / "server.log").write_text("")
    assert orchard(LOADERS["a folder"]).version == first.version
    (tmp_path / "more.csv").write_text("x,y\n100,400\n")
    assert orchard(LOADERS["a folder"]).data["rows"] == 21


def test_a_file_that_was_copied_or_is_not_there_does_not_count(orchard, tmp_path: Path, caplog) -> None:
    first = orchard()
    os.utime(tmp_path / "trees.csv", (1, 1))
    assert orchard().trained_at == first.trained_at
    (tmp_path / "trees.csv").rename(tmp_path / "elsewhere.csv")
    caplog.clear()
    model = registry.load_stored(registry.resolve("orchard:spec"))
    assert model is not None
    assert "changes of its data since then are not noticed" in startup._describe(model)


def test_the_same_data_in_another_file_are_trained_on_once(orchard, tmp_path: Path, caplog) -> None:
    first = orchard()
    file = tmp_path / "trees.csv"
    file.write_text(file.read_text() + "\n")
    assert orchard().version == first.version
    caplog.clear()
    orchard()
    assert "Training" not in caplog.text


def test_without_the_store_each_start_trains(orchard, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    orchard()
    caplog.clear()
    orchard(is_stored=False)
    assert "Training Orchard on 16 rows…" in caplog.text
    assert "stored" not in caplog.text


def test_a_store_that_cannot_be_written_is_one_line(orchard, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "models").write_text("a file")
    assert orchard().predict({"x": 10})[0] == pytest.approx(20, abs=1)
    assert len({record.getMessage() for record in caplog.records if record.levelname == "WARNING"}) == 1
    assert (
        f"orchard cannot be stored in {tmp_path / 'models'}: Not a directory. It is trained again at each start."
        in (caplog.text)
    )


def test_of_two_servers_that_start_at_once_one_trains(orchard, caplog: pytest.LogCaptureFixture) -> None:
    models: list[Any] = []
    thread = threading.Thread(target=lambda: models.append(orchard()))
    with store.training_lock("orchard", store.default_root(), lambda: None):
        thread.start()
        while "is being trained by another process" not in caplog.text:
            thread.join(0.05)
            assert thread.is_alive(), caplog.text
        from irislib import train

        other = train(sys.modules["orchard"].spec)
        store.save(other, store.default_root())
    thread.join()
    assert len({record.created for record in caplog.records if "Training Orchard" in record.getMessage()}) == 1
    assert models[0].version == other.version


def test_a_pages_kernel_keeps_the_servers_model_when_the_data_change(orchard, tmp_path: Path) -> None:
    model = orchard()
    store.save(model, tmp_path / "session", compare_files=False)
    write(tmp_path, 20, factor=3)
    assert store.read(model.spec, tmp_path / "session") is not None


def test_code_and_libraries_are_no_data(tmp_path: Path) -> None:
    import json

    (tmp_path / "a.py").write_text("")
    (zones := tmp_path / "zoneinfo").mkdir()  # as in /usr/share
    (zones / "UTC").write_text("")
    with record_reads() as reads:
        for file in (tmp_path / "a.py", zones / "UTC", Path(json.__file__), Path(pytest.__file__)):
            file.read_bytes()
        (tmp_path / "result").write_text("written")
        os.listdir(tmp_path)
    assert reads() == []
    assert describe_changed(reads()) is None
