"""Warm pages in another language: made ahead once somebody who prefers it has come, and no more than a few."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from conftest import Server, run_in_thread, wait_until
from traitlets.config import Configurable

from irislib._serving import translated_pages
from irislib._serving.app_entries import AppEntry
from irislib._serving.page_metrics import TEMPLATE_RESTARTS
from irislib._serving.page_pool import Pages
from irislib._serving.page_runner import PageRunner
from irislib._serving.warm_page import WarmPage

PATHS = [f"{number}.ipynb" for number in range(translated_pages.MAX_AHEAD + 2)]


class Parent(Configurable):
    apps = tuple(AppEntry(path.removesuffix(".ipynb"), path) for path in PATHS)
    app_list = SimpleNamespace(app_of=lambda path: None)
    languages = "en,de"
    model_loader = SimpleNamespace(names=set(), states={})
    contents_manager = SimpleNamespace(get=lambda path: {"content": nbformat.v4.new_notebook()})


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    """Pages whose notebooks are said to run at once."""
    made: list[tuple[str, str]] = []

    async def run(self: PageRunner, path: str, notebook: Any, language: str) -> tuple[WarmPage | None, str]:
        made.append((path, language))
        if path == PATHS[1]:
            raise KeyError("anything")
        name = f"{path}#{len(made)}"
        self.pages.fork_server.page_templates[name] = None  # type: ignore[assignment]
        return WarmPage(name, "", "python3", language), ""

    monkeypatch.setattr(PageRunner, "run", run)
    pages = Pages(parent=Parent())
    pages.made, pages.is_forking, pages.spares = made, True, 0
    pages.warm_pages = {path: WarmPage(path, "", "python3") for path in PATHS}
    return pages


def expect(pages: Pages, *languages: str) -> None:
    async def visit() -> None:
        for language in languages:
            pages.expect_language(language)
        while pages.tasks:
            await next(iter(pages.tasks))

    run_in_thread(visit())


def test_the_first_pages_are_made_once_whatever_fails(pages: Any) -> None:
    expect(pages, "en", "de", "de", "en", "de")
    assert pages.made == [(path, "de") for path in PATHS[: translated_pages.MAX_AHEAD]]
    translations = [page.translations for page in pages.warm_pages.values()]
    assert [bool(made) for made in translations] == [
        True,
        False,
        *[True] * (translated_pages.MAX_AHEAD - 2),
        False,
        False,
    ]
    assert pages.is_forking  # nothing else has stopped


def test_no_page_is_made_ahead_where_kernels_are_not_forked(pages: Any) -> None:
    pages.is_forking = False
    expect(pages, "de")
    assert pages.made == []


@pytest.mark.parametrize("is_resting", [False, True])
def test_a_page_whose_template_has_ended_is_made_again_and_its_spare_kernels_end(
    pages: Any, caplog: pytest.LogCaptureFixture, is_resting: bool
) -> None:
    spare, restarts = {"kernel"}, TEMPLATE_RESTARTS._value.get()
    page = pages.warm_pages[PATHS[0]]

    async def end(kernel: str) -> None:
        spare.remove(kernel)

    async def visit() -> None:
        first = await translated_pages.translate(pages, PATHS[0], page, "de")
        first.is_resting = is_resting
        first.spares.append("kernel")
        assert await translated_pages.translate(pages, PATHS[0], page, "de") is first
        assert spare
        pages.supervisor.has_work.clear()
        del pages.fork_server.page_templates[first.name]
        second = await translated_pages.translate(pages, PATHS[0], page, "de")
        assert page.translations == {"de": second}
        assert second is not first
        assert pages.supervisor.has_work.is_set()  # to watch the new process

    pages.parent.kernel_manager = SimpleNamespace(spare=spare, shutdown_kernel=end)
    run_in_thread(visit())
    assert not spare
    assert TEMPLATE_RESTARTS._value.get() - restarts == int(not is_resting)
    assert ("A template of kernels has ended" in caplog.text) is not is_resting


def test_a_changed_page_is_made_again_in_the_languages_that_are_in_use_and_rests_as_late(pages: Any) -> None:
    old, new = pages.warm_pages[PATHS[0]], WarmPage("new", "", "python3")
    old.translations = {language: WarmPage(language, "", "python3", language) for language in ("de", "fr")}
    old.translations["de"].opened_at = 5.0
    old.translations["fr"].is_resting = True
    pages.parent.kernel_manager = SimpleNamespace(spare=set())
    run_in_thread(pages.translate_as(PATHS[0], nbformat.v4.new_notebook(), old, new))
    assert {language: page.opened_at for language, page in new.translations.items()} == {"de": 5.0}


def test_the_list_of_apps_in_a_language_makes_its_pages_ahead(serve: Server) -> None:
    assert serve.get("/", headers={"Accept-Language": "de"}).headers["Content-Language"] == "de"
    for name in ("iris-wizard", "flat-rent", "dummy"):
        wait_until(lambda name=name: f"{name}.ipynb is ready in another language, de." in serve.text(), serve.text)
