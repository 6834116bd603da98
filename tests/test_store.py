"""A stored model comes back as it was, whole or not at all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from irislib._modeling import store
from irislib.errors import StoreError


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_a_stored_model_is_read_unchanged(name: str, tmp_path: Path, request) -> None:
    model = request.getfixturevalue(name)
    folder = store.save(model, tmp_path)
    back = store.read(model.spec, tmp_path)
    assert (back.version, back.trained_at, back.data) == (model.version, model.trained_at, model.data)
    assert back.coverage == model.coverage
    assert back.evaluation.metrics == model.evaluation.metrics
    pd.testing.assert_frame_equal(back.evaluation.features, model.evaluation.features)
    rows = model.evaluation.features
    np.testing.assert_array_equal(back.estimator.predict(rows), model.estimator.predict(rows))
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([model.version, "current"])


def test_saves_at_the_same_time_do_not_disturb_each_other(iris, tmp_path: Path) -> None:
    roots = [tmp_path / str(number) for number in range(2)]
    (roots[0] / iris.spec.name / iris.version / "unreadable").mkdir(parents=True)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(store.save, iris, root) for root in roots for _ in range(8)]
        for future in futures:
            future.result()
    for root in roots:
        assert store.read(iris.spec, root).version == iris.version
        assert sorted(path.name for path in (root / iris.spec.name).iterdir()) == sorted([iris.version, "current"])


def test_the_store_is_its_owners_alone(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_an_empty_store_returns_none(iris, tmp_path: Path) -> None:
    assert store.read(iris.spec, tmp_path) is None


def test_a_model_of_another_spec_is_not_read(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path)
    assert store.read(replace(iris.spec, random_state=3), tmp_path) is None
    assert store.read(iris.spec, tmp_path) is not None


def test_a_failed_write_keeps_the_stored_version(iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(iris, tmp_path)
    newer = replace(iris, version="newer")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match="No space left on device"):
        store.save(newer, tmp_path)
    assert store.read(iris.spec, tmp_path).version == iris.version
    assert not list(tmp_path.glob("*/.new-*"))


@pytest.mark.parametrize("spoilt", ["model.json", "estimator.skops"])
def test_a_spoilt_file_is_an_error_not_a_wrong_model(iris, tmp_path: Path, spoilt: str) -> None:
    folder = store.save(iris, tmp_path)
    for content in ((folder / spoilt).read_bytes()[:100], b"{}", b"[]", b""):
        (folder / spoilt).write_bytes(content)
        with pytest.raises(StoreError, match="cannot be read"):
            store.read(iris.spec, tmp_path)
    store.save(iris, tmp_path)  # training again mends it
    assert store.read(iris.spec, tmp_path).version == iris.version


def test_the_record_is_plain_json_without_nan(rent, tmp_path: Path) -> None:
    folder = store.save(rent, tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    record = json.loads((folder / "model.json").read_text(), parse_constant=refuse)
    assert None in record["evaluation"]["features"]["rooms"]


def test_a_type_that_the_spec_does_not_have_is_not_loaded(iris, tmp_path: Path) -> None:
    import skops.io

    folder = store.save(iris, tmp_path)
    skops.io.dump({"estimator": Path("/tmp")}, folder / "estimator.skops")  # noqa: S108
    with pytest.raises(StoreError, match="asks for what is not loaded: pathlib"):
        store.read(iris.spec, tmp_path)
