"""A stored model is out of date once its data, its description, its code or its libraries change, and only then."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from irislib import train
from irislib._modeling import checkup, staleness, store

FILES = {
    "__init__.py": "from .helpers import double\n",
    "helpers.py": '''
import pandas as pd
from . import constants
import bakery.oven as oven

FACTOR = 2

def double(rows):
    """Double the rows."""
    from .late import shift
    return shift(rows * FACTOR * constants.SCALE + oven.heat())  # a comment

def read():
    return pd.DataFrame({"x": range(20), "y": range(20)})

def unused():
    return 1
''',
    "constants.py": "SCALE = 1\nOTHER = 1\n",
    "oven.py": "def heat(): return _degrees()\ndef _degrees(): return 0\n",
    "late.py": "from .deep import *\ndef shift(rows): return rows + offset()\n",
    "deep.py": "def offset(): return 0\n",
    "parts.py": """
from sklearn.base import BaseEstimator, TransformerMixin

class Base(BaseEstimator, TransformerMixin):
    def fit(self, x, y=None):
        self.fitted_ = True
        return self

class Plus(Base):
    def transform(self, x):
        return x + 0
""",
    "model.py": """
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from irislib import Feature, ModelSpec
from . import double
from .helpers import read
from .parts import Plus

def load_data():
    return read()

estimator = make_pipeline(FunctionTransformer(double), Plus(), Ridge(alpha=1.0))
spec = ModelSpec("bread", [Feature("x", low=0, high=100)], "y", load_data, estimator, title="Bread")
""",
}
SAME = [
    ("helpers.py", "  # a comment", "  # another one"),
    ("helpers.py", "Double the rows.", "Double all rows."),
    ("helpers.py", "def unused():\n    return 1", "def unused():\n    return 2"),
    ("helpers.py", "rows * FACTOR * constants.SCALE + oven.heat()", "\n rows*FACTOR *constants.SCALE\n+ oven.heat( )"),
    ("helpers.py", "\nFACTOR", "\n\n\n\n\nFACTOR"),
    ("constants.py", "OTHER = 1", "OTHER = 2"),
    ("model.py", 'title="Bread"', 'title="My bread", source="A bakery"'),
    ("model.py", "high=100", 'high=100, label="How much", help="Of flour."'),
    ("model.py", "return read()", "rows = read()\n    return rows"),
]
CHANGES = [
    ("helpers.py", "FACTOR = 2", "FACTOR = 3", "the code of bakery.helpers.FACTOR"),
    ("helpers.py", "(rows * FACTOR", "(rows + FACTOR", "the code of bakery.helpers.double"),
    ("constants.py", "SCALE = 1", "SCALE = 2", "the code of bakery.constants.SCALE"),
    ("oven.py", "return 0", "return 1", "the code of bakery.oven._degrees"),
    ("late.py", "rows + offset", "rows - offset", "the code of bakery.late.shift"),
    ("deep.py", "return 0", "return 1", "the code of bakery.deep.offset"),
    ("parts.py", "x + 0", "x + 1", "the code of bakery.parts.Plus"),
    ("parts.py", "= True", "= False", "the code of bakery.parts.Base"),
    ("model.py", "alpha=1.0", "alpha=2.0", "estimator's ridge__alpha"),
    ("model.py", "high=100", "high=90", "feature x"),
    ("model.py", 'estimator, title="Bread"', "estimator, random_state=3", "random_state"),
    ("helpers.py", '"y": range(20)', '"y": range(0, 40, 2)', "the data"),
]


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes a package, with an edit, and imports it anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "models"))

    def write(file: str = "", old: str = "", new: str = "") -> Any:
        (tmp_path / "bakery").mkdir(exist_ok=True)
        for name, source in FILES.items():
            assert name != file or old in source
            (tmp_path / "bakery" / name).write_text(source.replace(old, new) if name == file else source)
        forget()
        importlib.invalidate_caches()
        return importlib.import_module("bakery.model").spec

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "bakery"]:
            del sys.modules[name]

    yield write
    forget()


@pytest.mark.parametrize("edit", SAME, ids=lambda edit: edit[2])
def test_what_changes_no_prediction_drops_no_model(bakery, tmp_path: Path, edit: tuple[str, str, str]) -> None:
    store.save(train(bakery()), tmp_path)
    assert store.read(bakery(*edit), tmp_path) is not None


@pytest.mark.parametrize(("file", "old", "new", "change"), CHANGES, ids=lambda part: part)
def test_what_may_change_predictions_is_named(
    bakery, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, old: str, new: str, change: str
) -> None:
    model = train(bakery())
    store.save(model, tmp_path)
    spec = bakery(file, old, new)
    assert store.read(spec, tmp_path) is None
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.WARNING]
    assert f"these have changed: {change}. A new one is trained now" in caplog.text
    assert train(spec).version != model.version


def test_data_are_read_at_the_start_only_if_the_code_that_loads_them_changed(bakery, tmp_path: Path) -> None:
    store.save(train(bakery()), tmp_path)
    spec = bakery("model.py", "estimator, title", "estimator, title")
    sys.modules["bakery.model"].read = lambda: pytest.fail("the data are read")
    assert store.read(spec, tmp_path) is not None


def test_another_version_of_a_library_is_named(bakery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from irislib._description import fingerprint

    model = train(bakery())
    store.save(model, tmp_path)
    monkeypatch.setattr(fingerprint, "_version", lambda package: "0.1")
    [change] = store.compare(model, tmp_path)[2]
    assert change.startswith("scikit-learn (")
    assert change.endswith(" then, 0.1 now)")


def test_check_says_what_changed_and_what_to_type(bakery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("check_imports", "_check_answers"):  # they take seconds
        monkeypatch.setattr(checkup, name, lambda _: [])

    def stored() -> list[tuple[bool, str]]:
        return [row for row in checkup.check_model(["bakery.model"]) if row[1].startswith("stored:")]

    model = train(bakery())
    assert stored() == [(True, "stored: none; `irislib train` keeps one")]
    store.save(model, store.default_root())
    [(good, text)] = stored()
    assert good
    assert text.startswith(f"stored: version {model.version} of ")
    bakery("helpers.py", "range(20)", "[*range(20)] * 2")
    from irislib._modeling import registry

    registry.clear(["bakery.model"])
    [(good, text)] = stored()
    assert not good
    assert "the data (20 rows then, 40 now). Train it anew: irislib train --model bakery.model" in text


def test_code_of_a_notebook_is_digested_with_its_helpers() -> None:
    from irislib._description.code_digest import digest_code

    def digests(helper: str) -> dict[str, str]:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(f"def helper(x): return {helper}\ndef main(x): return helper(x)", names)  # noqa: S102
        return digest_code([names["main"]])

    assert digests("x + 1") == digests("x + 1")
    assert digests("x + 1") != digests("x + 2")


def test_parameters_are_compared_whole() -> None:
    import numpy as np
    from scipy.stats import uniform
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.preprocessing import OrdinalEncoder

    from irislib._description.fingerprint import estimator_digests

    def categories(last: str) -> Any:
        return OrdinalEncoder(categories=[[*map(str, range(500)), last]])

    def search(scale: float) -> Any:
        return RandomizedSearchCV(Ridge(), {"alpha": uniform(0, scale), "tol": np.logspace(-4, -2, 2000)})

    for make, one, other in ((categories, "a", "b"), (search, 1, 2)):
        assert estimator_digests(make(one)) == estimator_digests(make(one))
        assert estimator_digests(make(one)) != estimator_digests(make(other))
    assert staleness.describe_changes([*"abcdef"]) == "a, b, c, d, 2 more"
