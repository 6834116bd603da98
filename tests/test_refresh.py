"""A model trained again on new data: appended, replacing, refused, forced, interrupted."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
import re
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import wait_until
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from test_store import die_after, fork, forking, one_content

from irislib import Feature, Model, ModelSpec, cli, load, train
from irislib._common import file_locks
from irislib._common.messages.refresh import TEXTS
from irislib._comparison.gate import decide
from irislib._modeling import store
from irislib._modeling.row_digests import known_rows
from irislib._refresh import command, new_rows, own_run, refreshing, runs
from irislib._refresh.data_parts import DataParts, parts_of, read_part, write_part
from irislib._refresh.new_rows import RowsError, read_new_rows
from irislib._refresh.own_run import SHARES
from irislib._refresh.progress_line import CELLS, CLEAR
from irislib._refresh.refreshing import refresh
from irislib._refresh.request import Request
from irislib._refresh.runs import Run, RunningError
from irislib.errors import DataError, IrislibError

N = 400


def make_data(seed: int, n: int = N) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"size_m": rng.normal(0, 1, n).round(3), "kind": rng.choice(["old", "new"], n)})
    score = data.size_m + (data.kind == "new") + rng.normal(0, 0.3, n)
    return data.assign(verdict=np.where(score > 0.5, "good", "bad"), price=(100 + 10 * score).round(2))


DATA = make_data(0)
FEATURES = [Feature("size_m", label="Size", unit="m", low=-10, high=10), Feature("is_new", "boolean")]


def load_data() -> pd.DataFrame:
    return prepared(DATA)


def prepared(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(is_new=data.kind == "new")


CLASSIFIER = ModelSpec("gadget", FEATURES, "verdict", load_data, LogisticRegression())
REGRESSOR = ModelSpec("price", FEATURES, "price", load_data, LinearRegression(), target_unit="EUR")
CODED = replace(CLASSIFIER, name="coded", classes={0: "bad", 1: "good"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for spec in (CLASSIFIER, REGRESSOR, CODED):
        store.publish(train(spec), tmp_path, kind="train")
    return tmp_path


def write(folder: Path, data: pd.DataFrame, name: str = "new.csv", **options) -> Path:
    path = folder / name
    prepared(data).to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize("spec", [CLASSIFIER, REGRESSOR, CODED], ids=lambda spec: spec.name)
def test_appended_rows_stay_with_the_model(spec: ModelSpec, root: Path) -> None:
    first = store.current_entry(spec.name, root)
    steps: list[str] = []
    german = {"sep": ";", "decimal": ","} if spec is REGRESSOR else {}
    result = refresh(
        spec, root, Request(write(root, make_data(1), **german), note="May"), lambda run: steps.append(run.text)
    )
    entry = store.current_entry(spec.name, root)
    assert (entry.number, entry.kind, entry.note, entry.serves) == (2, "refresh", "May", True)
    assert result.text.startswith(
        f"{entry.version} is the current version of {spec.name} now (entry 2). It is not worse"
    )
    assert [step.partition(" ")[0] for step in dict.fromkeys(steps)] == ["Reading", "Training", "Comparing", "Storing"]
    model = store.read(spec, root)  # as a server does
    assert (model.version, model.data["rows"]) == (entry.version, 2 * N)
    assert entry.details["comparison"]["before"] == first.version
    # the next ones have them, with a file and without
    again = refresh(spec, root, Request(write(root, make_data(2))))
    assert store.read(spec, root).data["rows"] == 3 * N
    assert len(parts_of(spec.name, root, again.entry).parts) == 2
    assert refresh(spec, root, Request()).entry.serves
    assert store.read(spec, root).data["rows"] == 3 * N
    assert set(known_rows(model).training) < set(known_rows(store.read(spec, root)).training)
    with pytest.raises(DataError, match="is among the data of"):
        refresh(spec, root, Request(write(root, make_data(2))))
    # a version that is current again has its own data
    store.rollback(spec.name, root, "2")
    assert len(parts_of(spec.name, root, store.current_entry(spec.name, root)).parts) == 1
    # all data replaced
    refresh(spec, root, Request(write(root, make_data(3)), replaces=True))
    assert store.read(spec, root).data["rows"] == N
    with pytest.raises(DataError, match="came from files alone"):
        refresh(spec, root, Request())
    entry = refresh(spec, root, Request(replaces=True)).entry
    assert parts_of(spec.name, root, entry) == DataParts()


def test_a_refused_version_is_kept_and_not_served_unless_forced(root: Path) -> None:
    before = store.current("gadget", root)
    noise = make_data(1)
    noise["verdict"] = noise.verdict.map({"good": "bad", "bad": "good"})
    file = write(root, noise)
    refused = refresh(CLASSIFIER, root, Request(file)).entry
    assert not refused.serves
    assert refused.reason.startswith(f"It is worse than {before} beyond the margin of 5 percentage points on the rows")
    assert store.current("gadget", root) == before
    assert store.load("gadget", root, refused.version).data["rows"] == 2 * N  # kept
    assert parts_of("gadget", root, store.current_entry("gadget", root)) == DataParts()  # its rows do not count
    with pytest.raises(IrislibError, match="say why with --note"):
        refresh(CLASSIFIER, root, Request(file, is_forced=True))
    forced = refresh(CLASSIFIER, root, Request(file, is_forced=True, note="labels were wrong")).entry
    assert forced.serves
    assert forced.reason.startswith("Served by force: labels were wrong. It had been refused: It is worse")
    assert forced.details["forced"]
    assert store.current("gadget", root) == forced.version


def test_nothing_is_trained_on_rows_that_are_not_valid(root: Path) -> None:
    bad = prepared(make_data(1)).astype(object)
    bad.loc[3, "size_m"], bad.loc[5, "verdict"], bad.loc[7, "is_new"] = 11, "", "perhaps"
    file = root / "bad.csv"
    bad.to_csv(file, index=False)
    with pytest.raises(DataError) as error:
        refresh(CLASSIFIER, root, Request(file))
    lines = str(error.value).splitlines()
    assert lines[0] == f"3 of {N} rows of bad.csv are not valid, and nothing was trained:"
    assert lines[1].startswith("row 5: size_m must be")
    assert lines[2] == "row 7: verdict is missing."
    assert lines[3].startswith("row 9: is_new must be")
    refresh(CLASSIFIER, root, Request(file, skips_bad_rows=True))
    assert runs.latest("gadget", root).remarks[0].startswith(f"3 of {N} rows of bad.csv are not valid and left out:")
    assert store.read(CLASSIFIER, root).data["rows"] == 2 * N - 3
    with pytest.raises(DataError, match="row 2: verdict must be one of"):
        refresh(CODED, root, Request(write(root, make_data(1).assign(verdict="middling"))))
    with pytest.raises(DataError, match="row 2: price must be a number"):
        refresh(REGRESSOR, root, Request(write(root, make_data(1).assign(price="dear"))))
    with pytest.raises(DataError, match="has no column 'verdict'"):
        refresh(CLASSIFIER, root, Request(write(root, make_data(1).drop(columns="verdict"))))
    with pytest.raises(DataError, match="cannot be read: No such file"):
        refresh(CLASSIFIER, root, Request(root / "none.csv"))
    assert [len(store.entries(spec.name, root)) for spec in (CLASSIFIER, CODED, REGRESSOR)] == [2, 1, 1]


def test_the_progress_counts_rows_and_parts_of_the_training(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = prepared(make_data(1)).astype(object)
    bad.loc[[3, 250], "size_m"] = 11
    bad.to_csv(root / "bad.csv", index=False)
    with pytest.raises(RowsError) as whole:
        refresh(CLASSIFIER, root, Request(root / "bad.csv"))
    monkeypatch.setattr(new_rows, "CHUNK_ROWS", 100)
    with pytest.raises(RowsError) as parts:
        refresh(CLASSIFIER, root, Request(root / "bad.csv"))
    assert str(parts.value) == str(whole.value)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1, 10]}, cv=2)
    for estimator, count in [(RandomForestClassifier(12, n_jobs=2), 12), (search, 6), (LogisticRegression(), 0)]:
        seen: list[Run] = []
        spec = replace(CLASSIFIER, estimator=estimator)
        refresh(spec, root, Request(write(root, make_data(count, 250))), seen.append)
        shares = [run.fraction for run in seen]
        assert shares == sorted(shares)
        expected = {round(SHARES["train"] + 0.6 * part / count, 4) for part in range(1, count + 1)} if count else set()
        assert expected <= {run.fraction for run in seen if run.stage == "train"}
        assert len({run.fraction for run in seen if run.stage == "read"}) >= 4  # of three parts of the rows


def test_parquet_and_excel_files_are_read(root: Path) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("openpyxl")
    prepared(make_data(1)).to_parquet(root / "new.parquet")
    prepared(make_data(2)).to_excel(root / "new.xlsx", index=False)
    for number, name in enumerate(("new.parquet", "new.xlsx"), 2):
        refresh(CLASSIFIER, root, Request(root / name))
        assert store.read(CLASSIFIER, root).data["rows"] == number * N


@pytest.fixture(scope="module")
def read_as(tmp_path_factory: pytest.TempPathFactory):
    """Return the target of a file with the same sizes and these cells, or the problems of its rows."""
    sizes = np.linspace(-1, 1, 60)

    @functools.lru_cache(typed=True)  # 0, 0.0 and False are different classes
    def model_of(below: object, above: object, is_named: bool) -> Model:
        data = pd.DataFrame({"size_m": sizes, "churned": [below if size < 0 else above for size in sizes]})
        names = {below: "no", above: "yes"} if is_named else {}
        return train(ModelSpec("m", FEATURES[:1], "churned", lambda: data, LogisticRegression(), classes=names))

    def read(classes: tuple[object, object], cells: list[object], suffix: str, is_named: bool = False) -> object:
        pytest.importorskip({"parquet": "pyarrow", "xlsx": "openpyxl"}.get(suffix, "pandas"))
        model, path = model_of(*classes, is_named), tmp_path_factory.mktemp("rows") / f"new.{suffix}"
        frame = pd.DataFrame({"size_m": sizes[: len(cells)], "churned": cells})
        write = {"csv": partial(frame.to_csv, sep=";", decimal=","), "xlsx": frame.to_excel}.get(suffix)
        write(path, index=False) if write else frame.to_parquet(path)
        try:
            return read_new_rows(model.spec, model, path)[1].tolist()
        except RowsError as error:
            return [problem["message"] for problem in error.listed]

    return read


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize(
    ("classes", "cells", "expected"),
    [
        ((False, True), [True, False], [True, False]),
        (("False", "True"), [True, False], ["True", "False"]),
        ((0, 1), [1.0, 0.0], [1, 0]),
        ((0, 1), [1.0, 0.0, None], ["churned is missing."]),
        ((0.0, 1.0), [1, 0], [1.0, 0.0]),
        ((0.0, 1e16), [10**16, 0], [1e16, 0.0]),
        (("0", "1"), [1.0, 0.0], ["1", "0"]),
        ((0, 1), [1, 2], ["churned must be one of 0, 1, got '2'."]),
        (("no", "yes"), ["yes", "perhaps"], ["yes", "perhaps"]),
        (("no", "yes"), ["yes", "NA", "n/a", "NaN", "-"], ["churned is missing."] * 4),
        (("NA", "EU"), ["NA", "EU"], ["NA", "EU"]),
    ],
    ids=str,
)
def test_a_class_is_known_however_a_file_has_it(read_as, classes, cells, expected, suffix: str) -> None:
    assert [(type(label), label) for label in read_as(classes, cells, suffix)] == [
        (type(label), label) for label in expected
    ]


def test_a_class_with_a_name_is_known_by_both(read_as) -> None:
    assert read_as((0, 1), [1.0, 0.0], "csv", is_named=True) == read_as((0, 1), ["yes", "no"], "csv", is_named=True)


def test_empty_lines_and_comments_are_no_rows(root: Path) -> None:
    file, model = root / "new.csv", store.read(CLASSIFIER, root)
    head = "# of May\nsize_m,is_new,verdict\n"
    file.write_text(f"{head}1,true,good\n\n# from here on by hand\n-1,no,bad\n,,\n")
    assert read_new_rows(CLASSIFIER, model, file)[1].tolist() == ["good", "bad"]
    file.write_text(f"{head}1,true,good\n\n# from here on by hand\nwide,no,bad\n,,\n0,no,bad\n")
    with pytest.raises(RowsError, match=r"^1 of 3 rows of .*:\nrow 6: size_m must be a number, got 'wide'"):
        read_new_rows(CLASSIFIER, model, file)
    file.write_text(f"{head}# none yet\n")
    with pytest.raises(DataError, match="holds no rows below its first line"):
        read_new_rows(CLASSIFIER, model, file)


def test_a_target_is_no_feature_of_any_name(tmp_path: Path) -> None:
    data = DATA.assign(target_value=DATA.size_m**2)
    spec = ModelSpec("m", [Feature("target_value"), FEATURES[0]], "price", lambda: data, LinearRegression())
    model, file = train(spec), tmp_path / "new.csv"
    file.write_text("target_value,size_m,price\n1,2,3\n4,5,6\n")
    assert read_new_rows(spec, model, file)[1].tolist() == [3, 6]
    file.write_text("target_value,size_m,price\n1,2,dear\n")
    with pytest.raises(RowsError, match="row 2: price must be a number, got 'dear'") as error:
        read_new_rows(spec, model, file)
    assert error.value.listed[0]["feature"] == "price"
    file.write_text("target_value,size_m,prices\n1,2,3\n")
    with pytest.raises(DataError, match=r"lacks the column price: expected a number\. Did you mean 'prices'\?"):
        read_new_rows(spec, model, file)


@pytest.mark.parametrize("target", ["verdict", "price"])
def test_a_target_has_its_name_in_any_case_and_is_no_feature(tmp_path: Path, target: str) -> None:
    estimator = LogisticRegression() if target == "verdict" else LinearRegression()
    other, file = target.title(), tmp_path / "new.csv"
    data = DATA.assign(**{other: DATA.size_m**2})
    spec = ModelSpec("m", [FEATURES[0]], target, lambda: data, estimator)
    rows = data[["size_m", target]].head(3)
    rows.rename(columns={target: f" {target.upper()} "}).to_csv(file, index=False)
    assert read_new_rows(spec, train(spec), file)[1].tolist() == rows[target].tolist()
    spec = replace(spec, features=[FEATURES[0], Feature(other)])
    data[["size_m", other]].to_csv(file, index=False)
    with pytest.raises(DataError, match=f"has no column '{target}', the target. It has: size_m, {other}"):
        read_new_rows(spec, train(spec), file)


def test_one_at_a_time_and_one_that_is_killed_leaves_all_as_it_was(root: Path) -> None:
    before = store.current("gadget", root)
    begun = root / "begun"
    pid = os.fork()
    if pid == 0:
        try:
            refresh(CLASSIFIER, root, Request(), lambda _: (begun.touch(), time.sleep(3600)))
        finally:
            os._exit(1)
    try:
        wait_until(begun.exists)
        with pytest.raises(IrislibError, match=f"A refresh of gadget is running already, by process {pid} of "):
            refresh(CLASSIFIER, root, Request())
        assert refresh(REGRESSOR, root, Request()).entry.serves  # another model
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert store.current("gadget", root) == before
    assert refresh(CLASSIFIER, root, Request()).entry.number == 2


@forking
def test_one_that_is_killed_at_any_moment_leaves_a_store_that_is_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CLASSIFIER
    refresh(spec, root, Request(write(root, make_data(1, 40))))
    former, parts = store.read(spec, root), [write(root, make_data(seed, 40), f"{seed}.csv") for seed in (2, 3)]
    # what takes long is made ahead; the rest is the writing, whose moments count
    decision = decide(former, former)
    candidate = former
    monkeypatch.setattr(store, "_content", one_content(former))
    monkeypatch.setattr(refreshing, "decide", lambda *_: decision)
    monkeypatch.setattr(refreshing.training, "retrain", lambda *_: candidate)
    monkeypatch.setattr(refreshing, "_former", lambda *_: former)
    moments, outcomes, before = random.Random(0), set(), store.current_entry(spec.name, root)  # noqa: S311

    def refresh_and_die(file: Path, steps: int) -> None:
        die_after(steps)
        refresh(spec, root, Request(file, replaces=True))

    for number in range(100):
        candidate = replace(former, version=f"v{number}")
        steps = moments.randrange(90)
        child = fork(lambda number=number, steps=steps: refresh_and_die(parts[number % 2], steps))
        status = os.waitpid(child, 0)[1]
        entry, run = store.current_entry(spec.name, root), runs.latest(spec.name, root)
        assert status in (0, signal.SIGKILL)
        assert store.read(spec, root).version == entry.version
        is_new = entry.number > before.number
        assert entry.number == before.number + is_new
        if is_new:
            assert entry.version == candidate.version
            assert len(refreshing.parts_of(spec.name, root, entry).parts) == 1
            assert (run.state, run.entry) == ("accepted", entry.number)
        outcomes.add((status, is_new))
        before = entry
    assert outcomes == {(0, True), (signal.SIGKILL, True), (signal.SIGKILL, False)}
    assert {run.state for run in runs.recent(spec.name, root)} == {"accepted", "failed"}
    assert len(runs.recent(spec.name, root)) <= own_run.KEPT


def test_the_last_one_that_was_accepted_is_known_however_many_fail_after_it(tmp_path: Path) -> None:
    name, states = CLASSIFIER.name, [runs.ACCEPTED, runs.ACCEPTED, *[runs.FAILED] * (own_run.KEPT + 5)]
    for state in states:
        with own_run.OwnRun.begin(name, tmp_path, Request()) as own:
            own.finish(state, "")
        assert runs.latest(name, tmp_path).id == own.run.id
    recent = runs.recent(name, tmp_path)
    assert [run.state for run in recent] == [*[runs.FAILED] * (own_run.KEPT - 1), runs.ACCEPTED]


@forking
def test_two_processes_refresh_one_after_the_other(root: Path) -> None:
    files = [write(root, make_data(seed, 100), f"{seed}.csv") for seed in (1, 2)]
    refusals = root / "refusals"

    def refresh_at_last(file: Path) -> None:
        while True:
            try:
                refresh(CLASSIFIER, root, Request(file))
                return
            except RunningError as error:
                refusals.write_text(str(error))
                time.sleep(0.02)

    with_lock = file_locks.take(root / "gadget" / "refresh.lock")
    children = [fork(lambda file=file: refresh_at_last(file)) for file in files]
    wait_until(refusals.exists)
    file_locks.free(with_lock)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert [entry.number for entry in store.entries("gadget", root)] == [3, 2, 1]
    assert store.read(CLASSIFIER, root).data["rows"] == N + 200  # the second one has the rows of the first
    assert [run.state for run in runs.recent("gadget", root)] == ["accepted", "accepted"]


def test_one_without_a_version_to_compare_with_says_so(tmp_path: Path, iris) -> None:
    with pytest.raises(IrislibError, match="There is no version of gadget in the store"):
        refresh(CLASSIFIER, tmp_path, Request())
    fitted = type(iris).from_estimator(iris.estimator, iris.evaluation.features, iris.evaluation.y_true, name="fitted")
    with pytest.raises(IrislibError, match=r"to train it by\. If it was fitted elsewhere"):
        refresh(fitted.spec, tmp_path, Request())
    read = load(str(fitted.save(tmp_path / "fitted.irislib")))
    with pytest.raises(IrislibError, match="If a module describes it, name that: --model"):
        refresh(read.spec, tmp_path, Request())
    with pytest.raises(IrislibError, match="give --data"):
        refresh(CLASSIFIER, tmp_path, Request(skips_bad_rows=True))


def test_the_command_runs_at_low_priority_and_within_its_memory(root: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(root))
    monkeypatch.setenv("IRISLIB_REFRESH_MEMORY", "123456789")
    monkeypatch.setattr("irislib._modeling.registry.load_specs", lambda _: {"gadget": CLASSIFIER})
    limits: list[int] = []
    monkeypatch.setattr(command.os, "nice", limits.append)
    monkeypatch.setattr(command.memory, "limit_process", lambda *facts: limits.extend(facts))
    assert cli.refresh(["--data", str(write(root, make_data(1)))]) == 0
    assert limits == [command.NICENESS, os.getpid(), 123456789]
    printed = capsys.readouterr()
    assert "is the current version of gadget now (entry 2)" in printed.out
    assert printed.err.splitlines()[0] == "Reading the data of Gadget…"
    noise = make_data(2, 2 * N)
    noise["verdict"] = noise.verdict.map({"good": "bad", "bad": "good"})
    assert cli.refresh(["--data", str(write(root, noise))]) == command.REFUSED
    assert "is kept (entry 3) and not served" in capsys.readouterr().out


def test_rows_of_columns_without_text_names_are_read_back(tmp_path: Path) -> None:
    spec = replace(REGRESSOR, features=[Feature("size_m", column=0), Feature("is_new", "boolean", column=1)])
    rows = prepared(make_data(1))[["size_m", "is_new"]].set_axis([0, 1], axis=1)
    part = write_part("price", tmp_path, rows, DATA.price.to_numpy())
    features, target = read_part(spec, tmp_path, part)
    pd.testing.assert_frame_equal(features, rows)
    assert target == DATA.price.tolist()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_train_shows_in_a_terminal_how_far_it_is(tmp_path: Path, monkeypatch, is_terminal: bool) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2)
    spec = replace(CLASSIFIER, estimator=search)
    monkeypatch.setattr("irislib._modeling.registry.load_specs", lambda _: {"gadget": spec})
    cli.train([])
    lines = stream.getvalue().split(CLEAR)
    if is_terminal:
        half, whole = "█" * (CELLS // 2), "█" * CELLS
        assert lines[:2] == ["", "Training Gadget…"]
        assert f"{whole} 100% Training Gadget: 4 of 4 fits" in lines
        assert any(line.startswith(f"{half:░<{CELLS}}  50% Training Gadget: 2 of 4 fits, ") for line in lines)
    assert lines[-1] == ""


def test_ctrl_c_cancels_it_and_a_terminal_shows_how_far_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> pd.DataFrame:
        raise KeyboardInterrupt

    monkeypatch.setenv("IRISLIB_STORE", str(root))
    monkeypatch.setattr(command, "_limits", contextlib.nullcontext)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    interrupted = replace(CLASSIFIER, load_data=interrupt)
    monkeypatch.setattr("irislib._modeling.registry.load_specs", lambda _: {"gadget": interrupted})
    with pytest.raises(KeyboardInterrupt):
        cli.refresh([])
    assert terminal.getvalue().startswith(f"{CLEAR}{'░' * CELLS}   2% Reading the data of Gadget…{CLEAR}")
    run = runs.latest("gadget", root)
    assert (run.state, run.result) == ("cancelled", f"Cancelled by {run.by}; the current version stays.")
    assert terminal.getvalue().endswith(f"{CLEAR}{run.result}\n{CLEAR}")
    assert store.current_entry("gadget", root).number == 1


@forking
def test_one_that_needs_too_much_memory_ends_with_a_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    limit = int(used[1]) * 1024 + 500_000_000
    monkeypatch.setenv("IRISLIB_STORE", str(root))
    monkeypatch.setenv("IRISLIB_REFRESH_MEMORY", str(limit))
    greedy = replace(CLASSIFIER, load_data=lambda: pd.DataFrame(np.ones(10**9)))
    monkeypatch.setattr("irislib._modeling.registry.load_specs", lambda _: {"gadget": greedy})

    def refresh_greedily() -> None:
        with pytest.raises(IrislibError, match=f"It needs more memory than {limit:,} bytes"):
            cli.refresh([])

    assert os.waitpid(fork(refresh_greedily), 0)[1] == 0
    run = runs.latest("gadget", root)
    assert (run.state, run.result) == ("failed", TEXTS["memory"].format(limit=limit))
    assert store.current_entry("gadget", root).number == 1
