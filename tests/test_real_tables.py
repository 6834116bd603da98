"""The whole path on real tables: `irislib new`, `irislib check`, then one server with the page and endpoint of each."""

from __future__ import annotations

import contextlib
import csv
import gzip
import importlib
import io
import itertools
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import unfit
from conftest import TESTS, Server, open_app, run_irislib
from playwright.sync_api import expect
from real_tables import TABLES, RealTable

import irislib
from irislib import Feature, Model, cli, insights
from irislib._modeling import registry
from irislib._modeling.training import train
from irislib._project import project_files
from irislib.errors import UserCodeError

NAMES = [table.name for table in TABLES]


def reference(name: str) -> str:
    return f"{name.replace('-', '_')}.model:spec"


LONG_RUNNING = {
    name: getattr(insights, name) for name in ("permutation_importance", "cross_validation", "learning_curve")
}
KINDS = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
}
MEASURED = ("diabetes", "wine")  # models that are trained in no time
CHECKED = ("penguins", "wetter", "club")  # tables with gaps and days, in German, of few rows
OPENED = (*CHECKED, "airport-days", "late-flights")  # and of many columns in a database, of many rows
MODELS = [part for name in NAMES for part in ("--model", reference(name))]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a project of each table, and let their packages be imported."""
    folder = tmp_path_factory.mktemp("projects")
    made = pytest.MonkeyPatch()
    made.setattr(project_files, "pack_wheel", lambda: b"")  # which is tested elsewhere
    for table in TABLES:
        source = folder / f"{table.name}-data"
        source.mkdir()
        arguments = ["new", table.name, "--data", str(source / table.write(source)), "--target", table.target]
        arguments += ["--sql", table.query] if table.query else []
        with pytest.raises(SystemExit) as end:
            cli.main([*arguments, "--output", str(folder)])
        assert end.value.code == 0
        package = table.name.replace("-", "_")
        (folder / "packages").mkdir(exist_ok=True)
        (folder / "packages" / package).symlink_to(folder / table.name / package)
    made.syspath_prepend(str(folder / "packages"))
    yield folder
    made.undo()


@pytest.fixture(scope="module")
def server(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve all models: what trains them."""
    log = tmp_path_factory.mktemp("server") / "log"
    server = Server(log, "serve", *MODELS, cwd=projects / "packages").wait()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.text()


@pytest.fixture(scope="module")
def models(server: Server) -> dict[str, Model]:
    """Load the models where no table can be read, and so none can be trained."""
    with pytest.MonkeyPatch.context() as without_tables:
        for reader in ("read_csv", "read_excel", "read_parquet", "read_sql"):
            without_tables.delattr(pd, reader)
        with pytest.raises(UserCodeError, match="read_csv"):
            train(registry.resolve(reference("club")))
        return {name: irislib.load(reference(name)) for name in NAMES}


@pytest.fixture(scope="module")
def checked(projects: Path, server: Server) -> dict[str, list[str]]:
    """Return what `irislib check` says of some models."""
    models = [part for name in CHECKED for part in ("--model", reference(name))]
    result = run_irislib("check", *models, cwd=projects / "packages")
    assert result.returncode == 0, result.stdout
    assert not result.stderr
    parts = re.split(r"^ok +(?=\S+ describes )", result.stdout, flags=re.MULTILINE)[1:]
    return {name: part.splitlines() for name, part in zip(CHECKED, parts, strict=True)}


def some_rows(model: Model, count: int = 7) -> tuple[pd.DataFrame, list[Any]]:
    """Return rows that were held out, days as people write them, and what is predicted of them."""
    rows = model.evaluation.features.head(count)
    texts = {name: rows[name].dt.strftime("%Y-%m-%d") for name in rows if rows[name].dtype.kind == "M"}
    return rows.assign(**texts), model.predict_frame(rows).tolist()


def number_of(model: Model) -> Feature:
    return next(f for f in model.spec.features if f.kind in ("number", "integer"))


@pytest.mark.parametrize("name", OPENED)
def test_the_page_answers_and_all_its_tabs_open(name: str, server: Server, models: dict[str, Model], page: Any) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    open_app(page, server, name, "Predict")
    page.get_by_role("button", name=next(iter(models[name].spec.examples)), exact=True).click()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("tabpanel").get_by_role("heading").first).to_contain_text(":")
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(page.locator(".irislib-pane:visible")).not_to_be_empty()
        expect(page.get_by_text("went wrong")).to_have_count(0)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not faults


@pytest.mark.parametrize("name", NAMES)
def test_library_and_endpoint_agree_and_what_is_wrong_is_named(
    name: str, server: Server, models: dict[str, Model]
) -> None:
    model = models[name]
    rows = [*model.spec.examples.values()]
    predicted = [model.predict_row(row).prediction for row in rows]
    assert [server.post(f"/{name}", json=row).json() for row in rows] == predicted
    field = number_of(model).name
    refused = server.post(f"/{name}", json={**rows[0], field: "no number"})
    assert refused.status_code == 422
    assert [fault["feature"] for fault in refused.json()["errors"]] == [field]


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_row_in_the_midst_of_a_batch_keeps_no_other_from_being_answered(
    name: str, server: Server, models: dict[str, Model]
) -> None:
    model = models[name]
    rows, predicted = some_rows(model, 4 if name == "club" else 7)
    feature = number_of(model)
    rows = rows.astype({feature.column: object})
    wrong = len(rows) // 2
    rows.iloc[wrong, rows.columns.get_loc(feature.column)] = "no number"
    del predicted[wrong]
    expected = pytest.approx(predicted) if isinstance(predicted[0], float) else predicted

    records = json.loads(rows.to_json(orient="records"))
    answers = server.post(f"/{name}/batch", json=records).json()
    assert feature.name in str(answers.pop(wrong))
    assert [answer["prediction"] for answer in answers] == expected

    content = rows.to_csv(index=False).encode()
    reply = server.post(f"/{name}/batch", data=content, headers={"Content-Type": "text/csv"})
    lines = list(csv.DictReader(io.StringIO(reply.text)))
    assert feature.name in lines.pop(wrong)["problems"]
    column = f"predicted_{model.spec.target}"
    assert [type(predicted[0])(line[column]) for line in lines] == expected


@pytest.mark.parametrize("name", NAMES)
def test_another_process_reads_the_store(name: str, server: Server, models: dict[str, Model]) -> None:
    model = models[name]
    row = next(iter(model.spec.examples.values()))
    reply = server.post(f"/{name}", json=row)
    assert reply.headers["X-Model-Version"] == model.version
    assert reply.json() == model.predict_row(row).prediction


@pytest.mark.parametrize("name", NAMES)
def test_every_insight_answers_or_says_why_not(name: str, server: Server, models: dict[str, Model]) -> None:
    model = models[name]
    if name in MEASURED:
        for insight in LONG_RUNNING.values():
            insight(model)
    row = next(iter(model.spec.examples.values()))
    refused = {}
    for insight in server.get(f"/{name}/insights").json():
        path = f"/{name}/insights/{insight['name']}"
        reply = server.post(path, json=row) if insight["method"] == "POST" else server.get(path)
        if reply.status_code == 200:
            assert reply.json()["rows"]
            assert reply.json()["text"]
        else:
            assert (reply.status_code, reply.headers["Content-Type"]) == (404, "application/problem+json")
            refused[insight["name"]] = reply.json()["detail"]
    reasons = dict.fromkeys([] if name in MEASURED else LONG_RUNNING, "has not been measured for this version of")
    if name == "club":
        reasons["prediction_set"] = "4 test rows are too few for a coverage of 90%"
    assert refused.keys() == reasons.keys()
    assert all(reason in refused[insight] for insight, reason in reasons.items())


@pytest.mark.parametrize("name", CHECKED)
def test_check_finds_no_fault(name: str, checked: dict[str, list[str]]) -> None:
    assert "ok     training is reproducible" in checked[name]
    assert all(line.startswith("ok ") for line in checked[name][1:])
    assert "proved equal on" in "".join(checked[name])
    assert checked[name][-1].endswith("with the same data, description, code and libraries")


ROWS = range(60)
CLASSES = ["a", "b", "b"] * 20
ADVICE = "Choose another --target."
NESTED = (
    "a feature is a number, text, a date, a time or yes or no. Spread it over columns, or leave it out, and write the "
)
NESTED += "table again."
NAMES_ROWS = "has another value in all rows: it names rows, and tells nothing of new ones."
# Tables by what does not fit: how they are written, their target, and what `irislib new` says.
UNFIT: dict[str, tuple[Any, str, str]] = {
    "an empty file": ("", "a", "{file} is empty. Give a file with a line of names and rows below it."),
    "a header alone": ("a,b\n", "a", "{file} names columns but has no rows below them. Give a file with rows."),
    "one row": ("a,b\n1,2\n", "a", "Rows with a value of a: 1. That is too few to learn from; at least 10 are needed."),
    "one column": (
        {"a": ROWS}, "a",
        "{file} has one column only, 'a': no comma, semicolon, tab or vertical bar separates values. A model needs "
        "columns for its inputs and one for its target.",
    ),
    "an unknown target": (
        {"age": ROWS, "churned": CLASSES}, "churn", "data.csv has no column 'churn'. Did you mean 'churned'?"
    ),
    "a constant target": (
        {"a": ["x"] * 60, "b": ROWS}, "a", f"a is 'x' in every row: there is nothing to predict. {ADVICE}"
    ),
    "a target without values": ({"a": [None] * 60, "b": ROWS}, "a", f"a is empty in every row. {ADVICE}"),
    "texts that are all different": (
        {"name": [f"n{i}" for i in ROWS], "b": CLASSES}, "name",
        f"Each row has its own name: a model cannot learn that. {ADVICE}",
    ),
    "ids": (
        {"customer_id": [7919 * i % 1000 for i in ROWS], "b": CLASSES}, "customer_id",
        f"customer_id has another number in each row, as ids and row numbers have: a model cannot learn that. {ADVICE}",
    ),
    "row numbers": (
        {"kunde": ROWS, "b": CLASSES}, "kunde",
        f"kunde has another number in each row, as ids and row numbers have: a model cannot learn that. {ADVICE}",
    ),
    "numbers with a slip": (
        {"price": [*(1.5 * i for i in ROWS[1:]), "on demand"], "b": CLASSES}, "price",
        "Most values of price are numbers, but 'on demand' is none. Correct it and the like, or leave them empty.",
    ),
    "days": ({"day": pd.date_range("2024-01-01", periods=60), "b": CLASSES}, "day",
             f"day holds days; a model here predicts numbers or classes. {ADVICE}"),
    "ids alone as inputs": (
        {"id": ROWS, "ref": [f"r{i}" for i in ROWS], "y": CLASSES}, "y",
        f"There is no column left that a model could predict y from. id {NAMES_ROWS} ref {NAMES_ROWS}",
    ),
    "inputs without values": (
        {"a": [None] * 60, "b": [5] * 60, "y": CLASSES}, "y",
        "There is no column left that a model could predict y from. a is empty in 100% of the rows. "
        "b is 5 in every row.",
    ),
    "records in JSON": (
        json.dumps([{"a": {"x": i}, "y": name} for i, name in zip(ROWS, CLASSES, strict=True)]), "y",
        "The column 'a' of {file} holds records; " + NESTED,
    ),
    "lists in Parquet": (
        lambda path: pd.DataFrame({"a": [[1, 2]] * 60, "b": ROWS, "y": CLASSES}).to_parquet(path), "y",
        "The column 'a' of {file} holds lists; " + NESTED,
    ),
    "a target of records": (
        json.dumps([{"a": i, "y": {"x": i}} for i in ROWS]), "y", "The column 'y' of {file} holds records; " + NESTED
    ),
    "a name twice in a query": (
        lambda path: write_sqlite(path, pd.DataFrame({"a": ROWS, "y": CLASSES})), "y",
        "The query has the column 'a' more than once. Give each its own name.",
    ),
}  # fmt: skip


def write_sqlite(path: Path, frame: pd.DataFrame) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        frame.to_sql("t", database, index=False)


@pytest.mark.parametrize("what", UNFIT)
def test_what_does_not_fit_gets_a_sentence_and_leaves_nothing(what: str, tmp_path: Path) -> None:
    content, target, sentence = UNFIT[what]
    path = tmp_path / "data.csv"
    if isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, dict):
        pd.DataFrame(content).to_csv(path, index=False)
    else:
        content(path)
    arguments = ["new", "unfit", "--data", str(path), "--target", target, "--output", str(tmp_path)]
    arguments += ["--sql", "SELECT a, a, y FROM t"] if "query" in what else []
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert str(end.value.code).strip() == "irislib new: " + sentence.format(file=path)
    assert os.listdir(tmp_path) == ["data.csv"]


def test_check_says_what_does_not_fit() -> None:
    result = run_irislib("check", *(part for name in unfit.DATA for part in ("--model", f"unfit:{name}")), cwd=TESTS)
    assert result.returncode == 1
    assert not result.stderr
    faults = re.findall(r"^FAULT +training failed: (.*)", result.stdout, flags=re.MULTILINE)
    for (_, sentence), fault in zip(unfit.DATA.values(), faults, strict=True):
        assert fault.startswith(sentence)


def own_file(data: Path, frame: pd.DataFrame) -> tuple[bytes, str]:
    """Return a table as people have it, and what kind of file it is, for the endpoint."""
    if data.suffix == ".db":
        return frame.to_csv(index=False, date_format="%Y-%m-%d").encode(), "text/csv"
    if data.suffix == ".gz":
        with gzip.open(data) as lines:
            return b"".join(itertools.islice(lines, 2001)), "text/csv"
    return data.read_bytes(), KINDS.get(data.suffix, "text/csv")


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_the_table_itself_is_predicted_in_its_order(table: RealTable, server: Server, models: dict[str, Model]) -> None:
    model = models[table.name]
    module = importlib.import_module(model.spec.load_data.__module__)
    frame = module.load_data()
    content, kind = own_file(module.DATA, frame)
    reply = server.post(f"/{table.name}/batch", data=content, headers={"Content-Type": kind})
    text = reply.content.decode("utf-8-sig")
    sign = max(",;\t", key=text.partition("\n")[0].count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=sign))
    assert len(rows) == min(len(frame), 2000 if module.DATA.suffix == ".gz" else len(frame))
    assert not [row["problems"] for row in rows if row["problems"]]
    features = model.spec.validate(frame.loc[: len(rows) - 1, [f.column for f in model.spec.features]])
    predicted = [row[f"predicted_{table.target}"] for row in rows]
    if table.is_classifier:
        assert predicted == [str(label) for label in model.predict_frame(features)]
    else:
        assert [*map(float, predicted)] == pytest.approx(model.predict_frame(features))
