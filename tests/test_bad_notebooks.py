"""Notebooks that cannot be opened: they take nothing else down, and the log and their own page say why."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock

import nbformat
import pytest
import voila.handler
from conftest import Server, descendants, is_running, notebook, process_of, run_in_thread, wait_until
from jupyter_client.kernelspec import KernelSpecManager
from traitlets.config import Configurable
from voila.configuration import VoilaConfiguration

from irislib._serving.app_entries import AppEntry
from irislib._serving.app_list import NotebookWatch
from irislib._serving.module_watch import own_files
from irislib._serving.notebook_checkup import check_notebooks
from irislib._serving.notebooks import NotebookError, choose_kernel, read_notebook
from irislib._serving.page_pool import Pages
from irislib._serving.served_models import find_specs, served_references
from irislib._serving.template_supervisor import TemplateSupervisor

GOOD = nbformat.writes(notebook("print('all', 'is well')"))
BAD: dict[str, tuple[bytes | Callable[[Path], object], str]] = {
    "nothing": (b"", "it is empty."),
    "spaces": (b" \n\n", "it is empty."),
    "html": (b"<!DOCTYPE html><title>404</title>", "it is not JSON."),
    "cut": (GOOD[:100].encode(), "it is not JSON."),
    "conflict": (f"<<<<<<< HEAD\n{GOOD}=======\n{GOOD}>>>>>>> theirs\n".encode(), "it has unresolved conflicts"),
    "utf16": (GOOD.encode("utf-16"), "it is not UTF-8 text."),
    "latin1": (GOOD.replace("all", "für").encode("latin-1"), "it is not UTF-8 text."),
    "gzip": (b"\x1f\x8b\x08\x00\x00", "it is not UTF-8 text."),
    "folder": (Path.mkdir, "it is not a regular file."),
    "pipe": (os.mkfifo, "it is not a regular file."),
    "dangling": (lambda path: path.symlink_to("nowhere"), "there is no such file."),
    "loop": (lambda path: path.symlink_to(path.name), "there is no such file."),
    "null": (b"null", "its JSON is no notebook."),
    "array": (b"[1, 2]", "its JSON is no notebook."),
    "other": (b'{"cells": []}', "its JSON is no notebook."),
    "future": (b'{"nbformat": 99, "cells": []}', "its JSON is no notebook."),
    "version": (b'{"nbformat": "four", "cells": []}', "its JSON is no notebook."),
    "no-cells": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "its JSON is no notebook."),
    "cells": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"a": 1}}', "its JSON is no notebook."),
    "numbers": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}', "its JSON is no notebook."),
    "source": (json.dumps({**json.loads(GOOD), "cells": [{"cell_type": "code"}]}).encode(), "its JSON is no notebook."),
    "nested": (b"[" * 100_000, "it is not JSON."),
    "surrogate": (GOOD.replace("all", "\\ud800").encode(), "its JSON is no notebook."),
    "attachments": (
        json.dumps({**json.loads(GOOD), "cells": [{"cell_type": "raw", "source": "", "attachments": 5}]}).encode(),
        "its JSON is no notebook.",
    ),
    "julia": (
        json.dumps(
            {**json.loads(GOOD), "metadata": {"kernelspec": {"name": "julia-1.9", "language": "julia"}}}
        ).encode(),
        "there is no kernel here for its language, julia.",
    ),
    "huge": (lambda path: os.truncate(path.touch() or path, 10**12), "it has more than 100 MB."),
}


KERNELS: dict[str, object] = {
    "conda": {"name": "conda-env-foo-py", "language": "python", "display_name": "Python [conda env:foo]"},
    "venv": {"name": "my-venv", "display_name": "My venv"},
    "none": {},
    "no-kernel": None,
    "text": "python3",
}


def write(path: Path, content: bytes | Callable[[Path], object]) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    return path


@pytest.mark.parametrize("name", [name for name in BAD if name != "julia"])
def test_a_file_that_is_no_notebook_is_one_sentence(name: str, tmp_path: Path) -> None:
    content, sentence = BAD[name]
    path = write(tmp_path / f"{name}.ipynb", content)
    with pytest.raises(NotebookError) as refused:
        read_notebook(path)
    assert str(refused.value).startswith(sentence)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.ipynb", GOOD.encode())
    path.chmod(0)
    with pytest.raises(NotebookError, match="it cannot be read"):
        read_notebook(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": None},
        {"metadata": {"kernelspec": None, "voila": "lab", "irislib": [], "title": 5, "language_info": "python"}},
        {"metadata": {"kernelspec": {"name": None, "language": None}}},
        {"nbformat_minor": 99},
        {
            "cells": [
                {"cell_type": "code", "source": "1", "metadata": {"tags": 5}, "outputs": 5, "execution_count": "one"}
            ]
        },
        {"cells": [{"cell_type": "code", "source": ["1\n", "2"], "outputs": [{"output_type": "none"}]}]},
    ],
)
def test_a_notebook_with_faults_that_do_not_matter_is_read(changes: dict, tmp_path: Path) -> None:
    content = json.dumps({**json.loads(GOOD), **changes})
    read = read_notebook(write(tmp_path / "a.ipynb", content.encode("utf-8-sig")))
    assert read.cells
    assert isinstance(read.metadata.get("kernelspec", {}).get("name", ""), str)
    assert all(cell.outputs == [] for cell in read.cells)


def test_the_example_is_served_beside_notebooks_that_use_irislib_alone(tmp_path: Path, monkeypatch) -> None:
    assert [*find_specs(None, tmp_path)] == ["iris-wizard"]  # there are none
    write(tmp_path / "a.ipynb", nbformat.writes(notebook("import ipywidgets")).encode())
    assert find_specs([], tmp_path) == {}
    assert served_references(str(tmp_path), None) == []  # so that `irislib check` says nothing of the example
    assert served_references("", None) is None
    assert [*find_specs(["irislib.iris:spec"], tmp_path)] == ["iris-wizard"]
    write(tmp_path / "b.ipynb", nbformat.writes(notebook("from irislib.widgets import Form")).encode())
    assert [*find_specs(None, tmp_path)] == ["iris-wizard"]
    (tmp_path / "b.ipynb").unlink()
    monkeypatch.setenv("IRISLIB_MODEL", "irislib.iris:spec")
    assert [*find_specs(None, tmp_path)] == ["iris-wizard"]


def test_a_notebook_of_an_old_format_is_read(tmp_path: Path) -> None:
    old = nbformat.writes(nbformat.convert(nbformat.reads(GOOD, 4), 3), version=3)
    assert read_notebook(write(tmp_path / "a.ipynb", old.encode())).cells[0].source == "print('all', 'is well')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    for name, (content, _) in BAD.items():
        write(folder / f"{name}.ipynb", content)
    write(folder / "good.ipynb", GOOD.encode())
    write(folder / "._good.ipynb", b"\x00\x05\x16\x07")
    for name in ("日本", "a b", "a-b", "Gro\u0308ße", "docs", "iris wizard", "(?)"):
        write(folder / f"{name}.ipynb", nbformat.writes(notebook(f"print('this is', {name!r})")).encode())
    for name, kernel in KERNELS.items():
        content = json.loads(nbformat.writes(notebook(f"print('this is', {name!r})")))
        content["metadata"] = {"kernelspec": kernel} if kernel != {} else {}
        write(folder / f"{name}.ipynb", json.dumps(content).encode())
    picture = nbformat.v4.new_markdown_cell("![hidden](.hidden.png) ![a notebook](good.ipynb)")
    write(folder / ".hidden.png", b"PNG")
    write(folder / "pictures.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[picture])).encode())
    write(folder / "ends_process.py", b"import os; os._exit(0)")
    write(folder / "ends.ipynb", nbformat.writes(notebook("import ends_process")).encode())
    write(folder / "half.ipynb", nbformat.writes(notebook("print('\\ud800 is', 'half a character')")).encode())
    write(folder / "null-character.ipynb", nbformat.writes(notebook("print('\0')")).encode())
    return folder


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "log", "serve", "--notebooks", str(folder)).wait()
    yield server
    assert server.stop() == 0


def test_the_others_are_served_and_readiness_names_the_bad_ones(server: Server) -> None:
    wait_until(lambda: server.get("/readyz").status_code == 200)
    pages = server.get("/readyz").json()["pages"]
    assert {name for name, state in pages.items() if state == "unreadable"} == set(BAD)
    assert pages["iris-wizard"] == pages["good"] == "warm"
    assert "all is well" in server.get("/good").text
    assert server.get("/null-character").status_code == 200  # the cell's error is the page
    assert "data-irislib-model" in server.get("/iris-wizard").text
    assert "? is half a character" in server.get("/half").text
    assert pages["ends"] == "per visit"
    assert "ends_process ends the process that imports it, and is left to each kernel" in server.text()


@pytest.mark.parametrize("name", ["nothing", "utf16", "folder", "dangling", "source"])
def test_the_page_of_a_bad_one_and_the_log_say_why(server: Server, name: str) -> None:
    answer = server.get(f"/{name}")
    sentence = f"The notebook {name}.ipynb cannot be opened: {BAD[name][1]}"
    assert answer.status_code == 500
    assert sentence in answer.text
    assert sentence in server.text()
    assert sentence in server.get(f"/{name}", headers={"Accept": "application/json"}).json()["detail"]
    assert "NotebookError" not in server.text()


def test_a_page_that_cannot_be_rendered_ends_with_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> AsyncIterator[tuple[str, dict]]:
        yield "<h1>", {}
        raise LookupError

    async def render() -> list[str]:
        renderer = voila.handler.NotebookRenderer(
            request_handler=SimpleNamespace(render_failure=lambda: "<p>failed"),
            voila_configuration=VoilaConfiguration(),
            notebook_path="a.ipynb",
        )
        return [piece async for piece, _ in renderer.generate_content_generator()]

    import irislib._serving.visit_renderer  # noqa: F401 - Voila takes its renderer

    monkeypatch.setattr("voila.notebook_renderer.NotebookRenderer.generate_content_generator", fail)
    assert run_in_thread(render()) == ["<h1>", "<p>failed"]


def test_pages_that_cannot_be_prepared_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: TemplateSupervisor) -> None:
        raise KeyError("anything")

    class Parent(Configurable):
        apps = (AppEntry("a", "A"),)
        app_list = SimpleNamespace(app_of=lambda path: None)
        languages = "en,de"
        contents_manager = SimpleNamespace(get=lambda path: {"content": notebook()})
        model_loader = SimpleNamespace(names=set(), states={})
        report_ready = staticmethod(lambda: None)

    async def start() -> None:
        pages = Pages(parent=Parent())
        pages.start()
        await pages.decided["a.ipynb"].wait()
        pages.end()

    monkeypatch.setattr(TemplateSupervisor, "prepare", fail)
    run_in_thread(start())
    monkeypatch.setattr(TemplateSupervisor, "supervise", fail)
    run_in_thread(start())


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_of_another_machine_is_replaced_by_ours(server: Server, name: str) -> None:
    assert server.get("/readyz").json()["pages"][name] == "warm"
    assert f"this is {name}" in server.get(f"/{name}").text


def test_the_kernel_of_a_language_can_be_chosen(tmp_path: Path) -> None:
    for name, language in (("python3", "python"), ("xpython", "python"), ("ir", "R")):
        (tmp_path / name).mkdir()
        spec = {"argv": ["kernel"], "display_name": name, "language": language}
        (tmp_path / name / "kernel.json").write_text(json.dumps(spec))
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path)], ensure_native_kernel=False)
    for metadata, mapping, chosen in (
        ({"name": "conda", "language": "python"}, {}, "python3"),
        ({"name": "conda", "language": "python"}, {"python": "xpython"}, "xpython"),
        ({"name": "python3", "language": "python"}, {"python": "xpython"}, "python3"),
        ({"name": "conda", "language": "python"}, {"python": "none"}, "python3"),
        ({"name": "other", "language": "r"}, {}, "ir"),
    ):
        content = notebook()
        content.metadata["kernelspec"] = nbformat.from_dict(metadata)
        choose_kernel(content, specs, mapping)
        assert content.metadata.kernelspec.name == chosen


def test_a_language_without_a_kernel_is_named_on_the_page(server: Server) -> None:
    answer = server.get("/julia")
    assert answer.status_code == 500
    assert "The notebook julia.ipynb cannot be opened: there is no kernel here for its language, julia." in answer.text


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("日本", "日本"),
        ("%E6%97%A5%e6%9c%ac", "日本"),
        ("a-b", "a-b"),
        ("a-b-2", "a b"),
        ("Gr\u00f6ße", "Gro\u0308ße"),
        ("docs-2", "docs"),
        ("iris-wizard-2", "iris wizard"),
        ("notebook", "(?)"),
    ],
)
def test_every_notebook_has_an_address_of_its_own(server: Server, address: str, name: str) -> None:
    answer = server.get(f"/{address}")
    assert answer.status_code == 200
    assert f"this is {name}" in answer.text


def test_a_page_shows_no_hidden_file_and_no_source(server: Server) -> None:
    answer = server.get("/pictures")
    assert answer.status_code == 200
    assert "base64" not in answer.text.partition('id="rendered_cells"')[2]


def write_page(folder: Path, name: str, text: str, run: str) -> None:
    content = notebook(f"print('this', 'is', {text!r})")
    content.metadata["irislib"] = {"run": run}
    write(folder / f"{name}.ipynb", nbformat.writes(content).encode())


@pytest.mark.parametrize(("name", "run", "state"), [("once", "once", "warm"), ("each", "each visit", "per visit")])
def test_a_notebook_that_is_added_edited_or_removed_is_noticed(
    server: Server, folder: Path, name: str, run: str, state: str
) -> None:
    def pages() -> dict[str, str]:
        return server.get("/readyz").json()["pages"]

    write_page(folder, name, "the first", run)
    wait_until(lambda: pages().get(name) == state)
    assert f'href="/{name}"' in server.get("/").text
    assert server.post(f"/{name}").status_code == 405  # a page, without a model
    first = server.get(f"/{name}").text
    assert "this is the first" in first

    write(folder / f"{name}.ipynb", b"")  # as an editor does before it writes
    wait_until(lambda: f"{name}.ipynb cannot be opened: it is empty. Its page stays as it was." in server.text())
    assert pages()[name] == state
    assert "this is the first" in server.get(f"/{name}").text

    write_page(folder, name, "the second", run)
    wait_until(lambda: f"{name}.ipynb has changed, and so has its page." in server.text())
    assert "this is the second" in server.get(f"/{name}").text
    kernel = re.search(r'"kernel(?:Id)?": ?"([^"]+)"', first)
    assert kernel
    assert server.get(f"/api/kernels/{kernel[1]}").status_code == 200  # of the visitor with the page open

    (folder / f"{name}.ipynb").unlink()
    wait_until(lambda: name not in pages())
    assert server.get(f"/{name}").status_code == 404
    assert f'href="/{name}"' not in server.get("/").text


def test_a_bad_notebook_that_is_repaired_has_its_page(server: Server, folder: Path) -> None:
    write(folder / "repaired.ipynb", b"<<<<<<< HEAD")
    wait_until(lambda: server.get("/readyz").json()["pages"].get("repaired") == "unreadable")
    assert server.get("/repaired").status_code == 500
    write_page(folder, "repaired", "repaired", "once")
    wait_until(lambda: server.get("/readyz").json()["pages"]["repaired"] == "warm")
    assert "this is repaired" in server.get("/repaired").text
    (folder / "repaired.ipynb").unlink()


def test_an_unchanged_notebook_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_page(folder, "a", "one", "once")
    watch = NotebookWatch(folder, record := AsyncMock())
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it is read"))
    run_in_thread(watch.poll())
    record.assert_not_called()
    (folder / "a.ipynb").rename(folder / "b.ipynb")
    run_in_thread(watch.poll())
    record.assert_not_called()  # it may be there again
    run_in_thread(watch.poll())
    record.assert_awaited_once_with({"a.ipynb", "b.ipynb"})
    folder.rename(tmp_path / "elsewhere")  # as a network drive that is not mounted
    for _ in range(3):
        run_in_thread(watch.poll())
    record.assert_awaited_once()


def test_check_reads_the_notebooks(folder: Path) -> None:
    lines = [f"{'ok' if good else 'FAULT':<6} {text}" for good, text in check_notebooks(str(folder), None)]
    for line in [
        "FAULT  The notebook nothing.ipynb cannot be opened: it is empty.",
        "FAULT  The notebook julia.ipynb cannot be opened: there is no kernel here for its language, julia.",
        "ok     good.ipynb can be served, at /good",
        "ok     a b.ipynb can be served, at /a-b-2, for another page has the address /a-b",
        "ok     docs.ipynb can be served, at /docs-2, for another page has the address /docs",
        "ok     conda.ipynb can be served, at /conda, with the kernel python3: there is no conda-env-foo-py here",
        "ok     ends_process ends the process that imports it, and is left to each kernel",
    ]:
        assert any(found.startswith(line) for found in lines)
    assert sum(line.startswith("FAULT") for line in lines) == len(BAD)


def test_hidden_files_are_no_pages(server: Server) -> None:
    assert "._" not in server.get("/").text
    assert "._good" not in server.text()


def test_a_changed_module_beside_the_notebooks_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write(folder / "helper.py", b"from helper_of_helper import text")
    write(folder / "helper_of_helper.py", b"def text(): return 'the old one'")
    for run in ("once", "each visit"):
        content = notebook("import helper\nprint('this', 'is', helper.text())")
        content.metadata["irislib"] = {"run": run}
        write(folder / f"imports {run}.ipynb", nbformat.writes(content).encode())
    server = Server(tmp_path / "log", "serve", "--model", "tiny:spec", "--notebooks", str(folder)).wait()
    try:
        assert server.get("/readyz").json()["pages"]["imports-once"] == "warm"
        for name in ("imports-once", "imports-each-visit"):
            assert "this is the old one" in server.get(f"/{name}").text
        write(folder / "helper_of_helper.py", b"def text(): return 'the new one'")
        wait_until(lambda: "helper_of_helper.py changed: the pages are prepared again." in server.text())
        for name in ("imports-once", "imports-each-visit"):
            wait_until(lambda name=name: "this is the new one" in server.get(f"/{name}").text)
    finally:
        assert server.stop() == 0


def test_a_page_that_nobody_opens_has_no_processes(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("a", "b"):
        write_page(folder, name, f"page {name}", "once")

    def kernels() -> set[int]:
        """Return the kernels, spare ones too; without a page's template process they are other processes."""
        return {pid for pid in descendants(server.process.pid) if is_running(pid) and name_of(pid) == "irislib-kernel"}

    def name_of(pid: int) -> str:
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/comm").read_text().strip()
        return ""

    def visit(name: str, **headers: str) -> int:
        html = server.get(f"/{name}", headers=headers).text
        assert f"this is page {name}" in html
        return process_of(re.search(r'"kernel(?:Id)?": ?"([^"]+)"', html)[1], server)  # type: ignore[index]

    server = Server(tmp_path / "log", "serve", "--notebooks", str(folder), "--Pages.rest_after=0.1").wait()
    try:
        wait_until(lambda: len(kernels()) == 1)  # the spare one of the first page
        of_a = visit("a")
        of_b = visit("b")  # which rests, and then page a does
        wait_until(lambda: len(kernels()) == 3)
        of_german = visit("b", **{"Accept-Language": "de"})
        again = visit("a")
        wait_until(lambda: len(kernels()) == 5)  # of four visitors, whose processes stay, and one spare
        assert {of_a, of_b, of_german, again} < kernels()
        write_page(folder, "b", "page b, and new", "once")
        wait_until(lambda: "b.ipynb has changed, and so has its page." in server.text())
        assert "this is page b, and new" in server.get("/b").text
        assert 'irislib_pages_opened_total{kind="warm",page="b"} 3.0' in server.get("/metrics").text
        assert "in the ordinary way" not in server.text()
    finally:
        assert server.stop() == 0


def test_the_modules_of_the_notebooks_folder(tmp_path: Path) -> None:
    write(tmp_path / "helper.py", b"import numpy, tools.charts")
    (tmp_path / "tools").mkdir()
    for name in ("__init__", "charts", "tables"):
        write(tmp_path / "tools" / f"{name}.py", b"import helper")
    write(tmp_path / "unused.py", b"")
    os.mkfifo(tmp_path / "tools" / "pipe.py")
    names = {str(file.relative_to(tmp_path)) for file in own_files(tmp_path, ["pandas", "helper", ""])}
    assert names == {"helper.py", "tools/__init__.py", "tools/charts.py", "tools/tables.py"}
