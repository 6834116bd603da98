"""A stored model comes back as it was, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from irislib import store
from irislib.errors import StoreError


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_it_comes_back_as_it_was(name: str, tmp_path: Path, request) -> None:
    model = request.getfixturevalue(name)
    place = store.save(model, tmp_path)
    back = store.read(model.spec, tmp_path)
    assert (back.version, back.trained_at, back.data) == (model.version, model.trained_at, model.data)
    assert back.coverage == model.coverage
    assert back.evaluation.metrics == model.evaluation.metrics
    pd.testing.assert_frame_equal(back.evaluation.features, model.evaluation.features)
    rows = model.evaluation.features
    np.testing.assert_array_equal(back.estimator.predict(rows), model.estimator.predict(rows))
    assert sorted(path.name for path in place.parent.iterdir()) == sorted([model.version, "current"])
    assert tmp_path.stat().st_mode


def test_nothing_there_is_none(iris, tmp_path: Path) -> None:
    assert store.read(iris.spec, tmp_path) is None


def test_another_description_is_not_served_by_an_old_model(iris, tmp_path: Path) -> None:
    store.save(iris, tmp_path)
    assert store.read(replace(iris.spec, random_state=3), tmp_path) is None
    assert store.read(iris.spec, tmp_path) is not None


def test_a_failed_write_leaves_what_was_there(iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(iris, tmp_path)
    newer = replace(iris, version="newer")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skops.io.dump", full)
    with pytest.raises(StoreError, match="No space left on device"):
        store.save(newer, tmp_path)
    assert store.read(iris.spec, tmp_path).version == iris.version
    assert not list(tmp_path.glob("*/.new-*"))


@pytest.mark.parametrize("spoilt", ["model.json", "estimator.skops"])
def test_a_spoilt_file_is_an_error_not_a_wrong_model(iris, tmp_path: Path, spoilt: str) -> None:
    place = store.save(iris, tmp_path)
    (place / spoilt).write_bytes((place / spoilt).read_bytes()[:100])
    with pytest.raises(StoreError, match="cannot be read"):
        store.read(iris.spec, tmp_path)


def test_the_record_is_plain_json_without_nan(rent, tmp_path: Path) -> None:
    place = store.save(rent, tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    record = json.loads((place / "model.json").read_text(), parse_constant=refuse)
    assert None in record["evaluation"]["features"]["rooms"]


def test_a_type_that_the_description_does_not_name_is_not_made(iris, tmp_path: Path) -> None:
    import skops.io

    place = store.save(iris, tmp_path)
    skops.io.dump({"estimator": Path("/tmp")}, place / "estimator.skops")  # noqa: S108
    with pytest.raises(StoreError, match="Untrusted types found"):
        store.read(iris.spec, tmp_path)
