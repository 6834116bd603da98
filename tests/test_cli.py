"""The command line, as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from conftest import run_irislib
from invalid_inputs import GOOD, TYPED

from irislib import __version__
from irislib._common.formatting import format_share
from irislib._modeling import store
from irislib.cli import COMMANDS, main


def as_arguments(row: dict) -> list[str]:
    return [f"{name}={value}" for name, value in row.items()]


def test_predict_prints_the_class_and_the_probabilities(iris, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", *as_arguments(GOOD)])
    assert ended.value.code == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    expected = iris.predict_row(GOOD).probabilities
    shares = {name: format_share(probability) for name, probability in expected.items()}
    assert lines == [["Species:", "virginica,", shares["virginica"]], *map(list, shares.items())]


def test_predict_warns_beyond_the_training_data(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["predict", *as_arguments(dict.fromkeys(GOOD, 1))])
    assert "warning: sepal_length_cm is 1, but the model was trained on" in capsys.readouterr().err


@pytest.mark.parametrize("case", [TYPED[0], TYPED[7], TYPED[-1]], ids=str)
def test_predict_refuses_invalid_input_with_the_same_messages(case) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", *as_arguments(case.row)])
    for message in case.messages.values():
        assert message in str(ended.value)


UP_TO_DATE = "with the same data, description, code and libraries"
NOT_STORED = f"the store has no version {UP_TO_DATE}."


def test_predict_with_another_model(rent, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--model", "rent:spec", "area_m2=40", "balcony=yes", "built=1990-05-01"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{rent.predict_row(rent.spec.examples['A small flat'])}\n"


def test_train_prints_the_held_out_evaluation_and_keeps_the_model(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    monkeypatch.setattr("irislib._modeling.registry._loaded", {})

    def train(*options: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["train", *options])
        return ended.value.code, capsys.readouterr().out

    assert train("--check") == (1, f"Iris Wizard: {NOT_STORED}\n")
    assert not [*tmp_path.rglob("*.irislib")]
    code, out = train("--if-needed")
    assert code == 0
    assert "on 30 held-out rows" in out
    assert f"{iris.evaluation.metrics['accuracy']:.4g}" in out
    assert store.read(iris.spec, tmp_path).version == iris.version
    up_to_date = f"Iris Wizard: the store has version {iris.version}, {UP_TO_DATE}.\n"
    assert train("--check") == train("--if-needed") == (0, up_to_date)
    assert len(store.entries("iris-wizard", tmp_path)) == 1
    assert "on 30 held-out rows" in train()[1]
    assert len(store.entries("iris-wizard", tmp_path)) == 2


def test_check_reports_what_is_in_order_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("irislib._modeling.checkup.check_imports", lambda _: [])  # it takes seconds
    (tmp_path / "torn.py").write_text(
        "from dataclasses import replace\nfrom irislib.iris import spec\n"
        "spec = replace(spec, load_data=lambda: spec.no_such_thing)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["check", "--model", "rent:spec", "--model", "torn:spec"])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    faults = [line for line in out.splitlines() if not line.startswith("ok ")]
    assert [line.partition(" 'ModelSpec'")[0] for line in faults] == ["FAULT  training failed: AttributeError:"]
    assert "example 'A small flat': " in out
    assert "its page is made for it, at /flat-rent" in out
    monkeypatch.setattr("irislib._modeling.checkup._check_outputs", lambda _: [])  # it has been seen to work

    (tmp_path / "unkept.py").write_text(
        "from dataclasses import replace\nfrom sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer\nfrom sklearn.tree import DecisionTreeClassifier\n"
        "from irislib.iris import spec\n"
        "estimator = make_pipeline(FunctionTransformer(lambda rows: rows), DecisionTreeClassifier())\n"
        "spec = replace(spec, estimator=estimator)\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["check", "--model", "unkept:spec"])
    assert ended.value.code == 1
    assert "whenever a server starts: A Pipeline cannot be kept: it holds a lambda" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["train", "--model", "unkept:spec"])
    assert str(ended.value.code).startswith("irislib train: A Pipeline cannot be kept: it holds a lambda")
    capsys.readouterr()

    (tmp_path / "slip.py").write_text("from irislib import Feature\n\nFeature('a', units='cm')\n")
    with pytest.raises(SystemExit) as ended:
        main(["check", "--model", "slip:spec"])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert out.startswith("FAULT  slip:spec: TypeError:")
    assert "slip.py, line 3)" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = run_irislib(command, "--help")
    assert result.returncode == 0
    assert ("--model" in result.stdout) == (command not in ("new", "update"))
    if command in ("serve", "api"):
        for option in ("--host", "--port", "--debug"):
            assert option in result.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_nobody_takes_is_no_traceback(unbuffered: str) -> None:
    run = partial(
        subprocess.run, [sys.executable, "-m", "irislib", "--help"], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    reader, writer = os.pipe()
    os.close(reader)
    ended = run(stdout=writer)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = run(stdout=full)
    message = "irislib: The output cannot be written: No space left on device.\n"
    assert (ended.returncode, ended.stderr) == (1, message)


@pytest.mark.parametrize(
    "error",
    [OSError("EndpointConnectionError: Could not connect"), OSError(28, "No space left on device", "index.json")],
    ids=str,
)
def test_a_store_that_is_away_is_one_sentence(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(store, "names", Mock(side_effect=error))
    with pytest.raises(SystemExit) as ended:
        main(["versions", "--store", str(tmp_path)])
    assert str(ended.value) == f"irislib versions: {error}"
    assert capsys.readouterr().out == ""  # what is redirected to a file has no empty line


def test_help_and_version(capsys) -> None:
    main(["--help"])
    usage = capsys.readouterr().out
    assert all(f"\n  {command} " in usage for command in COMMANDS)
    main(["--version"])
    assert capsys.readouterr().out == f"irislib {__version__}\n"
