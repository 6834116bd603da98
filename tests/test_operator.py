"""The operator's page: behind the token, versions, going back, comparison, refresh, drift."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Server, wait_until
from sklearn.tree import DecisionTreeClassifier
from test_accessibility import find_violations

from irislib import train
from irislib._modeling import store

TOKEN = "not-a-word"  # noqa: S105
PAGE = "/iris-wizard/operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def root(iris: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a version that is current, and one before it that answers some rows in another way."""
    root = tmp_path_factory.mktemp("operated")
    stump = DecisionTreeClassifier(max_depth=1, random_state=0)
    store.publish(train(replace(iris.spec, estimator=stump)), root, note="a stump & more")
    store.publish(iris, root, kind="train")
    return root


def start(folder: Path, root: Path, *args: str) -> Server:
    (folder / "token").write_text(TOKEN)
    options = ["--model", "irislib.iris:spec", "--token-file", str(folder / "token")]
    return Server(folder / "log", *args, *options, IRISLIB_STORE=str(root)).wait()


@pytest.fixture(scope="module")
def guarded_api(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    server = start(folder, root, "api", "--prediction-log", str(folder / "predictions"))
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


@pytest.fixture
def operator(chromium: Any, guarded_api: Server) -> Iterator[Any]:
    """A browser that sends the token as the password."""
    login = {"username": "operator", "password": TOKEN}
    context = chromium.new_context(http_credentials=login, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_without_a_token_the_page_says_how_to_set_one(api: Server) -> None:
    response = api.get(PAGE)
    assert response.status_code == 403
    assert "Start it with --token-file." in response.text
    assert "<form" not in response.text
    assert api.post(PAGE, data={"action": "rollback", "entry": "1"}).status_code == 403


@pytest.mark.parametrize("key", [None, "", "0" * 64], ids=["no key", "an empty key", "a wrong key"])
def test_a_password_that_a_browser_sends_by_itself_is_not_enough_for_a_form(
    guarded_api: Server, root: Path, key: str | None
) -> None:
    before = store.entries("iris-wizard", root)
    params = {} if key is None else {"_xsrf": key}
    form = {"action": "rollback", "entry": "1"}
    response = guarded_api.post(PAGE, params=params, data=form, auth=("operator", TOKEN))
    assert response.status_code == 401
    assert store.entries("iris-wizard", root) == before


def test_the_page_and_its_forms_need_the_token(guarded_api: Server) -> None:
    assert guarded_api.get(PAGE).status_code == 401
    text = guarded_api.get(PAGE, params={"view": "rollback", "entry": "1"}, auth=("operator", TOKEN)).text
    (address,) = set(re.findall(r'action="operator(\?_xsrf=\w+)"', text))
    form = {"action": "rollback", "entry": "1"}
    assert guarded_api.post(PAGE + address, data=form).status_code == 401  # the key alone is not enough either


def test_what_does_not_exist_is_a_sentence(guarded_api: Server) -> None:
    for query, status in (({"view": "rollback", "entry": "99"}, 404), ({"view": "compare", "before": "x"}, 404)):
        response = guarded_api.get(PAGE, params=query, headers=BEARER)
        assert response.status_code == status
        assert 'role="alert"' in response.text
    response = guarded_api.post(PAGE, data={"action": "no such"}, headers=BEARER)
    assert response.status_code == 400
    response = guarded_api.post(PAGE, data={"action": "rollback", "entry": "2"}, headers=BEARER)
    assert response.status_code == 409
    assert "is the current version of iris-wizard already" in response.text


def test_each_view_is_accessible_and_in_german_too(operator: Any, guarded_api: Server) -> None:
    for view in ("versions", "compare&before=1", "rollback&entry=1", "refresh", "drift"):
        operator.goto(f"{guarded_api.url}{PAGE}?view={view}")
        assert find_violations(operator) == ""
        assert operator.evaluate("document.documentElement.scrollWidth <= innerWidth")
    german = guarded_api.get(PAGE, headers={**BEARER, "Accept-Language": "de"})
    assert german.headers["Content-Language"] == "de"
    assert "Versionen" in german.text
    assert "a stump &amp; more" in german.text


def test_a_version_is_compared_and_made_current_again(operator: Any, guarded_api: Server, root: Path) -> None:
    operator.goto(f"{guarded_api.url}{PAGE}")
    operator.get_by_role("link", name="Compare entry 1").click()
    operator.get_by_role("heading", name="Answers that change").wait_for()
    operator.goto(f"{guarded_api.url}{PAGE}")
    operator.get_by_role("link", name="Make entry 1 current").click()
    operator.get_by_label("Why").fill("it is easier to explain")
    operator.get_by_role("button", name="Make it current").click()
    operator.get_by_role("status").get_by_text("is current now").wait_for()
    entry = store.current_entry("iris-wizard", root)
    assert (entry.kind, entry.note) == ("rollback", "it is easier to explain")
    assert store.find_entry("iris-wizard", root, "#1").file == entry.file


def test_a_refresh_from_its_rows_to_its_result(operator: Any, guarded_api: Server, iris: Any, tmp_path: Path) -> None:
    rows = iris.spec.load_data()
    rows.assign(petal_width_cm=-1).to_csv(tmp_path / "bad.csv", index=False)
    operator.goto(f"{guarded_api.url}{PAGE}?view=refresh")
    operator.get_by_label("even if it is worse").check()
    operator.get_by_role("button", name="Train").click()
    operator.get_by_role("alert").get_by_text("Say in the note").wait_for()
    assert operator.get_by_label("even if it is worse").is_checked()
    operator.get_by_label("even if it is worse").uncheck()
    operator.get_by_label("New rows").set_input_files(tmp_path / "bad.csv")
    operator.get_by_role("button", name="Train").click()
    operator.get_by_role("progressbar").wait_for()
    operator.get_by_role("status").get_by_text("150 of 150 rows of bad.csv are not valid").wait_for()
    operator.get_by_role("heading", name="Rows that are not valid").wait_for()
    assert operator.get_by_role("cell", name="petal_width_cm").count() > 1


def test_a_running_refresh_is_cancelled(operator: Any, guarded_api: Server) -> None:
    operator.goto(f"{guarded_api.url}{PAGE}?view=refresh")
    operator.get_by_role("button", name="Train").click()
    operator.get_by_role("button", name="Cancel it").click()
    operator.get_by_role("status").get_by_text("Cancelled").wait_for()


def test_drift_is_shown_as_a_sentence_a_picture_and_a_table(guarded_api: Server, flowers: Any) -> None:
    page = partial_page(guarded_api, "drift")
    assert "too few to tell drift from chance" in page()
    rows = [{**row, "petal_length_cm": 6.9} for row in flowers[:40]]
    assert guarded_api.post("/iris-wizard/batch", json=rows, headers=BEARER).status_code == 200
    wait_until(lambda: "There is drift" in page())
    text = page()
    assert '<th scope="row">petal_length_cm</th>' in text
    assert 'src="data:image/svg+xml;base64,' in text
    (picture,) = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)
    assert b"prefers-color-scheme: dark" in base64.b64decode(picture)  # no white rectangle on a dark page


def partial_page(server: Server, view: str) -> Any:
    return lambda: server.get(PAGE, params={"view": view}, headers=BEARER).text


def test_the_forms_in_an_app_server(root: Path, tmp_path: Path, page: Any) -> None:
    """There the login's cookie is enough together with the key of the page alone."""
    server = start(tmp_path, root, "serve")
    visitor = requests.Session()
    try:
        before, current = store.entries("iris-wizard", root), store.current_entry("iris-wizard", root)
        number = next(entry.number for entry in before if entry.file != current.file)
        page.goto(f"{server.url}{PAGE}?view=rollback&entry={number}")
        page.locator("#password_input").fill(TOKEN)
        page.keyboard.press("Enter")
        page.get_by_label("Why").wait_for()
        visitor.cookies.update({cookie["name"]: cookie["value"] for cookie in page.context.cookies()})
        form, html = {"action": "rollback", "entry": number}, {"Accept": "text/html"}
        for headers in ({}, html, {"X-XSRFToken": "0" * 32}, {"Origin": "http://elsewhere.example"}):
            sent = visitor.post(f"{server.url}{PAGE}", data=form, headers=headers, allow_redirects=False)
            assert sent.status_code == (303 if headers is html else 401)
        address = page.locator("form").get_attribute("action")
        assert server.post(f"/iris-wizard/{address}", data=form).status_code == 401  # by who has not logged in
        assert store.entries("iris-wizard", root) == before
        page.get_by_role("button", name="Make it current").click()
        page.get_by_role("status").get_by_text("is current now").wait_for()
        assert len(store.entries("iris-wizard", root)) == len(before) + 1
    finally:
        assert server.stop() == 0
