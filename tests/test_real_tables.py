"""The whole path on real tables: `irislib new`, `irislib check`, then one server with the page and endpoint of each."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, open_app, run_irislib
from playwright.sync_api import expect
from real_tables import TABLES, RealTable

import irislib
from irislib import cli

NAMES = [table.name for table in TABLES]


def reference(name: str) -> str:
    return f"{name.replace('-', '_')}.model:spec"


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a project of each table, and let their packages be imported."""
    folder = tmp_path_factory.mktemp("projects")
    made = pytest.MonkeyPatch()
    for table in TABLES:
        source = folder / f"{table.name}-data"
        source.mkdir()
        arguments = ["new", table.name, "--data", str(source / table.write(source)), "--target", table.target]
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
    models = [part for name in NAMES for part in ("--model", reference(name))]
    log = tmp_path_factory.mktemp("server") / "log"
    server = Server(log, "serve", *models, cwd=projects / "packages").wait()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.text()


def examples_of(name: str) -> dict[str, dict[str, Any]]:
    return dict(importlib.import_module(f"{name.replace('-', '_')}.model").spec.examples)


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_the_page_answers_and_all_its_tabs_open(table: RealTable, server: Server, page: Any) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    title = examples_of(table.name)
    open_app(page, server, table.name, "Predict")
    page.get_by_role("button", name=next(iter(title)), exact=True).click()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("tabpanel").get_by_role("heading").first).to_contain_text(":")
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(page.locator(".irislib-pane:visible")).not_to_be_empty()
        expect(page.get_by_text("went wrong")).to_have_count(0)
    assert not faults


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_library_endpoint_and_batch_agree_and_what_is_wrong_is_named(table: RealTable, server: Server) -> None:
    model = irislib.load(reference(table.name))
    rows = [*examples_of(table.name).values()]
    predicted = [model.predict_row(row).prediction for row in rows]
    assert [server.post(f"/{table.name}", json=row).json() for row in rows] == predicted
    field = next(f.name for f in model.spec.features if f.kind in ("number", "integer"))
    answered = server.post(f"/{table.name}/batch", json=[*rows, {**rows[0], field: "no number"}]).json()
    answers = [row["prediction"] for row in answered[:-1]]
    assert answers == (predicted if table.is_classifier else pytest.approx(predicted))
    refused = server.post(f"/{table.name}", json={**rows[0], field: "no number"})
    assert refused.status_code == 422
    assert field in refused.text
    assert field in str(answered[-1])


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_the_served_model_was_stored_and_its_insights_answer(table: RealTable, server: Server) -> None:
    listed = server.get(f"/{table.name}/insights").json()
    assert listed
    matrix = "confusion_matrix" if table.is_classifier else "residuals"
    assert server.get(f"/{table.name}/insights/{matrix}").status_code == 200
    assert irislib.load(reference(table.name)).version == server.get(f"/{table.name}/schema").headers["X-Model-Version"]


def test_check_finds_no_fault(projects: Path) -> None:
    result = run_irislib("check", "--model", reference("penguins"), cwd=projects / "penguins")
    assert result.returncode == 0, result.stdout
    assert "FAULT" not in result.stdout


UNFIT = {
    "all different": ("name,x\n" + "".join(f"n{i},{i}\n" for i in range(60)), "name"),
    "constant": ("a,b\n" + "1,2\n" * 30, "a"),
    "one column": ("a\n1\n2\n", "a"),
    "header alone": ("a,b\n", "a"),
    "unknown target": ("age,churned\n" + "1,yes\n2,no\n" * 20, "churn"),
}


@pytest.mark.parametrize(("text", "target"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_gets_a_sentence_and_leaves_nothing(text: str, target: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(text)
    arguments = ("new", "unfit", "--data", str(tmp_path / "data.csv"), "--target", target, "--output", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    sentence = str(end.value.code)
    assert sentence.startswith("irislib new: ")
    assert sentence.count("\n") < 3
    assert not (tmp_path / "unfit").exists()


def test_a_whole_table_is_predicted_in_its_order(server: Server) -> None:
    table = importlib.import_module("wetter.model").load_data()
    content = table.to_csv(index=False, date_format="%Y-%m-%d").encode()
    reply = server.post("/wetter/batch", data=content, headers={"Content-Type": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert [row["Wetter"] for row in rows] == table["Wetter"].tolist()
    assert all(row["predicted_Wetter"] and not row["problems"] for row in rows)
