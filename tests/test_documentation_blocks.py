"""Each block of code in the documentation runs, and prints what the page says."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, Server, run_irislib
from documentation_blocks import Page, blocks

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture
def blocks_page(
    request: pytest.FixtureRequest, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A page in a folder and with a store of its own, in which the example is trained already."""
    folder, own_store = tmp_path / "page", tmp_path / "store"
    folder.mkdir()
    if not (store / "iris-wizard" / "entries").exists():
        assert run_irislib("train").returncode == 0
    shutil.copytree(store / "iris-wizard", own_store / "iris-wizard")
    namespace = ModuleType("__main__")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(sys.modules, "__main__", namespace)
    monkeypatch.setenv("IRISLIB_STORE", str(own_store))

    def shared() -> Server:
        return request.getfixturevalue("api")

    page = Page(folder, shared, {}, namespace)
    yield page
    page.end()


def test_the_server_answers_what_the_functions_for_excel_send(api: Server) -> None:
    text = (ROOT / "docs" / "cookbook" / "calling-excel.md").read_text(encoding="utf-8")
    query, function = (block.code for block in blocks(text))
    flower = {"petal_length_cm": 6, "petal_width_cm": 0.5, "sepal_length_cm": 6.3, "sepal_width_cm": 3.3}
    # VBA writes 0.5 as .5; MSXML names the encoding of a text, and Windows' language
    path = re.search(r'Open "POST", "http://localhost:5000(/[^"]+)", False', function)[1]  # type: ignore[index]
    headers = dict(re.findall(r'setRequestHeader "([^"]+)", "([^"]*)"', function))
    headers = {"Accept": "*/*", "Accept-Language": "de-DE", **headers, "Authorization": "Bearer a-long-secret"}
    headers["Content-Type"] += "; Charset=UTF-8"
    names = re.findall(r'"&?(\w+)=" & Number\(\w+\)', function)
    assert names == [*flower]
    body = "&".join(f"{name}={f'{flower[name]}'.removeprefix('0')}" for name in names)
    response = api.post(path, data=body.encode(), headers=headers)
    assert (response.status_code, response.text.replace('"', "").replace("\n", "")) == (200, "setosa")
    empty = api.post(path, data=body.replace("=6&", "=&").encode(), headers=headers)
    assert (empty.status_code, empty.json()["errors"][0]["feature"]) == (422, "petal_length_cm")
    # Power Query writes a table as records, an empty cell as null, and waits for the server before the body
    path = re.search(r'RelativePath = "([^"]+)"', query)[1]  # type: ignore[index]
    headers = {a or b: value for a, b, value in re.findall(r'(?:#"([\w-]+)"|(\w+)) = "([^"]*)"[ ,]', query)}
    headers = {name: headers[name] for name in ("Content-Type", "Authorization")}
    headers |= {"Authorization": f"{headers['Authorization']}a-long-secret", "Expect": "100-continue"}
    rows = json.dumps([flower, {**flower, "petal_width_cm": None}]).encode()
    answers = api.post(f"/{path}", data=rows, headers=headers).json()
    assert [row["prediction"] for row in answers] == ["setosa", None]
    assert [len(row["errors"]) for row in answers] == [0, 1]
    assert "petal_width_cm is missing" in answers[1]["errors"][0]["message"]
    problem = api.post(f"/{path}", data=b"{", headers=headers)
    assert problem.status_code in {int(status) for status in re.findall(r"\d{3}", query.partition("Handling")[2])}
    assert problem.json()["detail"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).with_suffix("").as_posix())
def test_each_block_runs(path: Path, blocks_page: Page) -> None:
    blocks_page.run(path.read_text(encoding="utf-8"), path.name)
    if blocks_page.missing:
        why = " ".join(blocks_page.missing)
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


FAULTS = {
    "no language": "```\nirislib serve\n```",
    "unknown language": "```pyton\n1\n```",
    "no end": "```python\n1",
    "fails": "```python\n1 / 0\n```",
    "asserts": '```python title="one.py"\nx = 1\n```\n\n```python\nimport one\nassert one.x == 2\n```',
    "in a list": "* so\n\n  ```python\n  1 / 0\n  ```",
    "other output": "```python\nprint(1)\n```\n\n```text title=\"output\"\n2\n```",
    "other line": "```console\n$ echo one; echo two\none\n…\nthree\n```",
    "more lines": "```console\n$ echo one; echo two\none\n```",
    "an error over HTTP": "```console\n$ curl http://localhost:5000/no-such-model\n```",
    "status": "```console\n$ false\n```",
    "no such option": "```console\n$ irislib versions --no-such-option\n```",
    "not a command": "```console\nirislib versions\n```",
    "could run": "```sh\nirislib versions\n```",
    "json": '```json\n{"a": 1,}\n```',
    "nginx": "```nginx\nserver {\nlisten 80\n}\n```",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_block_that_is_wrong_fails(fault: str, blocks_page: Page) -> None:
    with pytest.raises((Exception, SystemExit)):
        blocks_page.run(FAULTS[fault], "page.md")


def test_blocks_share_a_folder_and_a_namespace(blocks_page: Page) -> None:
    blocks_page.run(
        '```ini title="a/setup.cfg"\n[a]\nb = 1\n```\n<!--\n```python\nfrom pathlib import Path\n'
        'x = Path("a/setup.cfg").read_text()\n```\n-->\n'
        '```python\nprint(x)\n```\n```text title="output"\n[a]\nb = …\n```\n'
        "```console\n$ cd a\n$ export B=2\n$ cat \\\n    setup.cfg; echo $B\n…\nb = 1\n2\n```\n",
        "page.md",
    )


def test_make_runs_with_the_packages_of_the_tests(blocks_page: Page) -> None:
    blocks_page.run(
        '```text title="Makefile"\nserve: $(VENV)/ready\n\t$(VENV)/bin/irislib api --model irislib.iris:spec\n'
        "test: $(VENV)/ready\n\t$(VENV)/bin/python --version\n$(VENV)/ready:\n\tfalse\n```\n"
        "```console\n$ make test\nPython 3…\n$ make serve\n$ curl http://localhost:5000/healthz\n…ok…\n```\n",
        "page.md",
    )
