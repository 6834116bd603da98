"""A stored model comes back as it was, whole or not at all; what was served is a log that nobody can tear."""

from __future__ import annotations

import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from irislib._modeling import store
from irislib._modeling.model_file import join_parts
from irislib.errors import StoreError


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


def test_saves_at_the_same_time_do_not_disturb_each_other(iris, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(store.publish, iris, tmp_path, note=str(i)) for i in range(16)]
        written = [future.result() for future in futures]
    assert store.read(iris.spec, tmp_path).version == iris.version
    log = store.entries("iris-wizard", tmp_path)
    assert [entry.number for entry in log] == [*range(16, 0, -1)]
    assert {entry.note for entry in log} == {entry.note for entry in written} == {*map(str, range(16))}
    assert [file.name for file in versions(tmp_path)] == sorted({entry.file for entry in log})
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


def test_the_record_is_plain_json_without_nan(rent, tmp_path: Path) -> None:
    store.save(rent, tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    with zipfile.ZipFile(versions(tmp_path, "flat-rent")[0]) as archive:
        record = json.loads(archive.read("model.json"), parse_constant=refuse)
    assert None in record["model"]["evaluation"]["features"]["rooms"]


def test_a_type_that_the_spec_does_not_have_is_not_loaded(iris, tmp_path: Path) -> None:
    import skops.io

    store.save(iris, tmp_path)
    rewrite(versions(tmp_path)[0], "estimator.skops", skops.io.dumps({"estimator": Path("/tmp")}))  # noqa: S108
    with pytest.raises(StoreError, match="asks for what is not loaded: pathlib"):
        store.read(iris.spec, tmp_path)
