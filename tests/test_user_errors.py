"""Errors in the user's own code and estimator: the sentence, their line, their traceback alone, and advice."""

from __future__ import annotations

import dataclasses
import importlib
import io
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import run_irislib
from sklearn.ensemble import RandomForestClassifier

import irislib
from irislib import insights
from irislib._common import user_code
from irislib._common.user_code import Location
from irislib._modeling import checkup, registry, user_errors
from irislib.cli import main
from irislib.errors import DataError, IrislibError, NotApplicableError, SpecError, UserCodeError
from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render

HEAD = """import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from irislib import Feature, ModelSpec

def load_data():
    rows = 60
    return pd.DataFrame({
        "island": ["Biscoe", "Dream"] * (rows // 2),
        "note": ["a long beak", "short wings"] * (rows // 2),
        "beak": np.arange(rows, dtype=float),
        "kind": ["gentoo", "chinstrap"] * (rows // 2),
    })

ISLAND = Feature("island", "choice", choices=["Biscoe", "Dream"])
NOTE = Feature("note", "text")
BEAK = Feature("beak")
"""


@dataclass
class Stumble:
    """A module with an error in the line that ends in ``# here``, and what a command says of it."""

    text: str
    sentence: str
    advice: str = ""
    traceback: str = ""


STUMBLES = {
    "load_data": Stumble(
        """
def own_data():
    return load_data()["no such column"]  # here

spec = ModelSpec("birds", [BEAK], "kind", own_data, RandomForestClassifier(n_estimators=2))
""",
        "KeyError: 'no such column'",
        traceback="own_data",
    ),
    "a file beside the module": Stumble(
        """
def own_data():
    return pd.read_csv("birds.csv")  # here

spec = ModelSpec("birds", [BEAK], "kind", own_data, RandomForestClassifier(n_estimators=2))
""",
        "FileNotFoundError: [Errno 2] No such file or directory: 'birds.csv'",
        "Path(__file__).parent / 'birds.csv'",
        traceback="own_data",
    ),
    "import": Stumble("\nimport no_such_library  # here\n", "ModuleNotFoundError: No module named 'no_such_library'"),
    "name": Stumble("\nspec = ModelSpec(nme)  # here\n", "NameError: name 'nme' is not defined", traceback="<module>"),
    "syntax": Stumble("\nspec = ModelSpec('birds'))  # here\n", "SyntaxError: unmatched ')'"),
    "function": Stumble(
        "\ndef spec():\n    return 1 / 0  # here\n", "ZeroDivisionError: division by zero", traceback="spec"
    ),
    "fit of a transformer": Stumble(
        """
class Scaler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        raise RuntimeError("the scale is unknown")  # here

    def transform(self, X):
        return X

spec = ModelSpec("birds", [BEAK], "kind", load_data, make_pipeline(Scaler(), RandomForestClassifier(n_estimators=2)))
""",
        "RuntimeError: the scale is unknown",
        traceback="fit",
    ),
    "transform within a search": Stumble(
        """
class Scaler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        raise RuntimeError("the scale is unknown")  # here

pipeline = make_pipeline(Scaler(), RandomForestClassifier(n_estimators=2))
search = GridSearchCV(pipeline, {"randomforestclassifier__max_depth": [2, 3]}, cv=2)
spec = ModelSpec("birds", [BEAK], "kind", load_data, search)
""",
        "RuntimeError: the scale is unknown",
        traceback="transform",
    ),
    "text": Stumble(
        """
spec = ModelSpec(
    "birds", [BEAK, ISLAND], "kind", load_data,
    estimator=RandomForestClassifier(n_estimators=2),  # here
)
""",
        "ValueError: could not convert string to float: ",
        "The column 'island' holds text, such as ",
    ),
    "text in a column of sentences": Stumble(
        """
spec = ModelSpec(
    "birds", [BEAK, NOTE], "kind", load_data,
    estimator=RandomForestClassifier(n_estimators=2),  # here
)
""",
        "ValueError: could not convert string to float: ",
        "make_column_transformer((TfidfVectorizer(), 'note'), remainder='passthrough') before the estimator",
    ),
    "text before an estimator of categories": Stumble(
        """
spec = ModelSpec(
    "birds", [BEAK, ISLAND], "kind", load_data,
    estimator=HistGradientBoostingClassifier(max_iter=2),  # here
)
""",
        "ValueError: could not convert string to float: ",
        "Give its feature dtype='category', and HistGradientBoostingClassifier takes it as it is.",
    ),
    "text as the target of a regressor": Stumble(
        """
spec = ModelSpec(
    "birds", [BEAK], "kind", load_data,
    estimator=LinearRegression(),  # here
)
""",
        "ValueError: could not convert string to float: ",
        "The target 'kind' holds text, such as 'gentoo', and LinearRegression predicts numbers",
    ),
    "missing values": Stumble(
        """
def own_data():
    data = load_data()
    data.loc[::3, "beak"] = np.nan
    return data

spec = ModelSpec(
    "birds", [Feature("beak", required=False)], "kind", own_data,
    estimator=LogisticRegression(),  # here
)
""",
        "ValueError: Input X contains NaN.",
        "The column 'beak' has missing values, and the estimator takes none. Fill them in a pipeline, such as "
        "make_pipeline(SimpleImputer(), …)",
    ),
    "a vectorizer of a table": Stumble(
        """
spec = ModelSpec(
    "birds", [NOTE], "kind", load_data,
    estimator=make_pipeline(TfidfVectorizer(), LogisticRegression()),  # here
)
""",
        "ValueError: Found input variables with inconsistent numbers of samples",
        "ColumnTransformer([('words', TfidfVectorizer(), 'note')])",
    ),
    "a vectorizer of a list of columns": Stumble(
        """
words = ColumnTransformer([("words", TfidfVectorizer(), ["note"]), ("island", OneHotEncoder(), ["island"])])
spec = ModelSpec(
    "birds", [NOTE, ISLAND], "kind", load_data,
    estimator=make_pipeline(words, LogisticRegression()),  # here
)
""",
        "ValueError: ",
        "TfidfVectorizer takes one column of text, and gets a whole table.",
    ),
    "examples in a list": Stumble(
        """
spec = ModelSpec("birds", [BEAK], "kind", load_data, RandomForestClassifier(), examples=[{"beak": 1}])  # here
""",
        "examples: give a dict of titles and rows, {'A typical row': {…}}, got a list.",
    ),
    "tabs in a list": Stumble(
        """
spec = ModelSpec("birds", [BEAK], "kind", load_data, RandomForestClassifier(), tabs=[print])  # here
""",
        "tabs: give a dict of titles and lists of functions, {'Insights': […]}, got a list.",
    ),
    "a tab without a list": Stumble(
        """
spec = ModelSpec("birds", [BEAK], "kind", load_data, RandomForestClassifier(), tabs={"Own": print})  # here
""",
        "tabs: 'Own' must be a list of functions, such as [insights.confusion_matrix].",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder to start irislib in."""
    if "[import]" not in request.node.name:  # a process of its own, and the same for all that can be imported
        monkeypatch.setattr(checkup, "check_imports", lambda modules: iter(()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_resolved", {})
    yield tmp_path
    sys.modules.pop("birds", None)


def write(folder: Path, text: str) -> int:
    """Write a module, and return the line that ends in # here."""
    (folder / "birds.py").write_text(HEAD + text)
    lines = (HEAD + text).splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith("# here"))


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([command, "--model", "birds:spec"])
    out, code = capsys.readouterr().out, ended.value.code
    if command == "check":
        assert code == 1
        return "".join(f"{line}\n" for line in out.splitlines() if not line.startswith("ok "))
    return str(code)


def only_theirs(text: str) -> bool:
    files = re.findall(r'File "(.*?)"', text)
    return all(Path(file).name == "birds.py" for file in files) and "site-packages" not in text


@pytest.mark.parametrize("name", STUMBLES)
def test_a_stumble_points_at_the_users_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stumble = STUMBLES[name]
    line = write(folder, stumble.text)
    for command in ("train", "card", "check"):
        text = run(command, capsys)
        assert stumble.sentence in text
        assert f"(birds.py, line {line})" in text
        assert stumble.advice in text
        assert only_theirs(text)
        if stumble.traceback and command != "check":
            assert f'birds.py", line {line}, in {stumble.traceback}\n' in text


@pytest.mark.parametrize("command", [("api", "--port", "0"), ("serve", "--port", "0")], ids=["api", "serve"])
def test_a_server_that_cannot_start_says_so_in_the_same_words(folder: Path, command: tuple[str, ...]) -> None:
    line = write(folder, STUMBLES["load_data"].text)
    result = run_irislib(*command, "--model", "birds:spec", cwd=folder)
    assert result.returncode == 1
    before, message, rest = result.stderr.partition(
        f"irislib {command[0]}: KeyError: 'no such column' (birds.py, line {line})"
    )
    assert all(log_line.startswith("[AppServer]") for log_line in before.splitlines())
    assert only_theirs(message + rest)


def test_train_raises_it_from_the_original(folder: Path) -> None:
    line = write(folder, STUMBLES["text"].text)
    spec = importlib.import_module("birds").spec
    with pytest.raises(UserCodeError) as caught:
        irislib.train(spec)
    error = caught.value
    assert isinstance(error, IrislibError)
    assert isinstance(error.__cause__, ValueError)
    assert error.location == (str(folder / "birds.py"), line)
    assert "OneHotEncoder" in error.advice
    assert only_theirs("".join(error._render_traceback_()))


def test_xgboost_with_text_classes(folder: Path) -> None:
    pytest.importorskip("xgboost")
    text = """
from xgboost import XGBClassifier
spec = ModelSpec("birds", [BEAK], "kind", load_data, XGBClassifier(n_estimators=2))  # here
"""
    line = write(folder, text)
    with pytest.raises(UserCodeError, match=r"classes={0: 'chinstrap', 1: 'gentoo'}") as caught:
        irislib.train(importlib.import_module("birds").spec)
    assert caught.value.location == (str(folder / "birds.py"), line)


FAILS_LATER = """
class Scaler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        if len(X) == {rows}:
            raise RuntimeError("not so few")  # here
        return X

spec = ModelSpec("birds", [BEAK], "kind", load_data, make_pipeline(Scaler(), RandomForestClassifier(n_estimators=2)))
"""


@pytest.mark.parametrize(("rows", "subject"), [(1, "a held-out row"), (2, "a batch of two rows")])
def test_check_predicts_one_row_and_a_batch(
    folder: Path, capsys: pytest.CaptureFixture[str], rows: int, subject: str
) -> None:
    line = write(folder, FAILS_LATER.format(rows=rows))
    text = run("check", capsys)
    assert f"FAULT  {subject}: RuntimeError: not so few (birds.py, line {line})" in text
    assert only_theirs(text)


def test_predict_names_the_line_of_a_failing_transform(folder: Path) -> None:
    line = write(folder, FAILS_LATER.format(rows=1))
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--model", "birds:spec", "beak=3"])
    text = str(ended.value.code)
    assert text.startswith(f"irislib predict: RuntimeError: not so few (birds.py, line {line})")
    assert f"line {line}, in transform" in text
    assert only_theirs(text)


INSIGHT = """
def wings(model{row}):
    return [][0]  # here

def beaks(model):
    return "fine"

forest = RandomForestClassifier(n_estimators=2)
spec = ModelSpec("birds", [BEAK], "kind", load_data, forest, tabs={{"Own": [beaks, wings]}})
"""


@pytest.mark.parametrize("row", ["", ", prediction"])
def test_check_makes_each_insight_of_a_tab(folder: Path, capsys: pytest.CaptureFixture[str], row: str) -> None:
    line = write(folder, INSIGHT.format(row=row))
    text = run("check", capsys)
    assert text.splitlines() == [
        f"FAULT  wings in the tab 'Own': IndexError: list index out of range (birds.py, line {line})"
    ]


def test_the_log_of_a_page_has_the_users_frames_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = write(folder, INSIGHT.format(row=""))
    monkeypatch.setattr(sys, "__stderr__", io.StringIO())
    model = irislib.load(importlib.import_module("birds").spec)
    page = irislib.app(model)
    text = render(page.draw_tab(1))
    log = sys.__stderr__.getvalue()
    reference = re.search(r"reference: (\w{8})", text)
    assert f"reference {reference[1]}:" in log
    assert f'birds.py", line {line}, in wings\n' in log
    assert "IndexError: list index out of range" in log
    assert f"{Path(irislib.__file__).parent}/" not in log
    assert "IndexError" not in text


JUPYTER = {"JPY_SESSION_NAME": "/home/birds.ipynb"}


@pytest.mark.parametrize(
    ("environment", "is_author"),
    [
        (JUPYTER, True),
        ({}, False),
        ({**JUPYTER, "SERVER_SOFTWARE": "voila/0.5.12"}, False),
        ({**JUPYTER, registry.SESSION: "/home/models"}, False),
    ],
    ids=["jupyter", "script", "voila", "served"],
)
def test_authors_alone_see_the_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_author: bool
) -> None:
    line = write(folder, INSIGHT.format(row=""))
    page = irislib.app(irislib.train(importlib.import_module("birds").spec))
    monkeypatch.setattr(sys, "__stderr__", io.StringIO())
    for name in ("JPY_SESSION_NAME", "SERVER_SOFTWARE", registry.SESSION):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shown: list[str] = []
    with guarded(shown.append, lambda: ["range"]):
        shown.append(render(page.draw_tab(1)))
    error = f"IndexError: list index out of (entered) (birds.py, line {line})"
    assert (error in shown[0]) is is_author
    assert ("birds" in shown[0]) is is_author
    assert re.search(r"reference:? \w{8}", shown[0])


def test_an_error_of_irislib_itself_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "is_users", lambda file: False)  # this test is none of irislib's files
    with pytest.raises(TypeError) as caught:
        Location(None, 1).__str__()
    assert user_errors.describe(caught.value) is None
    assert "user_code.py" in user_errors.log_text(caught.value)


@pytest.mark.parametrize(
    "function", [irislib.app, irislib.card, irislib.card_html, insights.confusion_matrix, insights.cross_validation]
)
def test_a_spec_an_estimator_or_a_name_is_no_model(iris, function) -> None:
    with pytest.raises(NotApplicableError, match=re.escape("Load the model first: irislib.load('wine.irislib')")):
        function("wine.irislib")
    with pytest.raises(NotApplicableError, match=re.escape("load it first: irislib.load(spec)")):
        function(iris.spec)
    with pytest.raises(NotApplicableError, match="RandomForestClassifier is an estimator; make a model of it first"):
        function(RandomForestClassifier())
    with pytest.raises(NotApplicableError, match=r"Give a Model, as irislib\.load returns it, got int"):
        function(1)


@pytest.mark.parametrize("function", [irislib.load, irislib.train])
def test_a_model_or_an_estimator_is_no_spec(iris, function) -> None:
    with pytest.raises(NotApplicableError, match="a trained model already"):
        function(iris)
    with pytest.raises(NotApplicableError, match=r"Model\.from_estimator"):
        function(RandomForestClassifier())


def test_a_spec_or_a_model_is_no_fitted_estimator(iris) -> None:
    rows = iris.evaluation.features
    with pytest.raises(NotApplicableError, match=r"irislib\.load\(spec\)"):
        irislib.Model.from_estimator(iris.spec, rows, iris.evaluation.y_true, name="iris")
    with pytest.raises(NotApplicableError, match="a model already"):
        irislib.Model.from_estimator(iris, rows, iris.evaluation.y_true, name="iris")


def test_a_fitted_estimator_that_fails_points_at_the_call() -> None:
    forest = RandomForestClassifier(n_estimators=2).fit(np.arange(8).reshape(4, 2), list("abab"))
    rows = pd.DataFrame({"beak": [1, 2], "island": ["Biscoe", "Dream"]})
    with pytest.raises(UserCodeError, match="could not convert string to float: 'Biscoe'") as caught:
        irislib.Model.from_estimator(forest, rows, ["a", "b"], name="birds")
    assert "The column 'island' holds text, such as 'Biscoe', and the estimator was fitted on numbers" in str(
        caught.value
    )
    file, line = caught.value.location
    assert file == __file__
    assert "from_estimator(forest" in Path(file).read_text().splitlines()[line - 1]


def test_values_that_are_missing_in_the_data(folder: Path) -> None:
    write(folder, STUMBLES["missing values"].text)
    spec = importlib.import_module("birds").spec
    data = spec.load_data()
    required = dataclasses.replace(spec, features=[irislib.Feature("beak")])
    with pytest.raises(DataError, match=re.escape("missing values in beak (20 of 60 rows)")):
        irislib.train(required)
    with pytest.raises(DataError, match=r"must be a DataFrame, got ndarray: load_data has to return one\."):
        irislib.train(required, data.to_numpy())


def test_an_estimator_is_no_reference(folder: Path) -> None:
    write(folder, "\nspec = RandomForestClassifier()  # here\n")
    with pytest.raises(SystemExit) as ended:
        main(["card", "--model", "birds:spec"])
    assert "is a RandomForestClassifier, not a ModelSpec or a Model. RandomForestClassifier is an estimator." in str(
        ended.value.code
    )


def test_a_package_that_is_installed_is_the_users_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = folder / "site-packages"
    installed.mkdir()
    line = write(installed, STUMBLES["load_data"].text)
    monkeypatch.syspath_prepend(installed)
    with pytest.raises(UserCodeError) as caught:
        irislib.load("birds:spec")
    assert caught.value.location == (str(installed / "birds.py"), line)


def test_the_copied_example_is_the_users_own_but_not_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "_packages", set())
    iris = importlib.import_module("irislib.iris").__file__
    assert not user_code.is_users(iris)
    user_code.add_package("irislib.iris")
    assert user_code.is_users(iris)
    assert not user_code.is_users(irislib.__file__)
    assert not user_code.is_users(str(Path(sysconfig.get_path("scripts")) / "irislib"))


def test_a_bug_of_irislib_below_the_users_code_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AttributeError) as caught:
        insights.Insight.plot(None)
    assert "_base.py" in user_errors.log_text(caught.value)
    with pytest.raises(NotApplicableError) as refused:
        insights.confusion_matrix(1)
    assert "irislib/_modeling" not in user_errors.log_text(refused.value)


def test_a_fault_of_a_description_names_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = write(folder, STUMBLES["examples in a list"].text)
    with pytest.raises(SpecError):
        importlib.import_module("birds")
    assert f"(birds.py, line {line})" in run("train", capsys)
