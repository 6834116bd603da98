"""The documentation as a site: complete, without warnings, and without anything from elsewhere."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from conftest import PATIENCE, ROOT, new_page
from playwright.sync_api import expect

PUBLIC = ("irislib", "irislib.insights", "irislib.widgets", "irislib.api", "irislib.errors")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not os.environ.get("CI"):
        pytest.importorskip("material")
        pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_each_public_name_is_in_the_reference(site: Path) -> None:
    for module in PUBLIC:
        text = (site / "reference" / f"{module.replace('.', '-')}.html").read_text(encoding="utf-8")
        names = {f"{module}.{name}" for name in importlib.import_module(module).__all__} - {*PUBLIC}
        assert {name for name in names if f'id="{name}"' not in text} == set()
        assert not re.search(r":(class|func|meth):", text), module


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_missing(site: Path) -> None:
    tags = re.compile(r"<(?:link|script|img|source|iframe|object)\b[^>]*?\b(?:src|href|srcset|data)=\"?([^\"\s>]+)")
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert 'class="mermaid"' not in text, "Material gets the script for diagrams from elsewhere"
        for address in tags.findall(text):
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) == ("", ""), f"{page.name}: {address}"
            relative = parts.path.startswith("/")  # of 404.html, which a server sends at any address
            assert (site / parts.path.lstrip("/") if relative else page.parent / unquote(parts.path)).exists(), address
    for style in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import )[\"']?([^\"')\s]+)", style.read_text(encoding="utf-8")):
            assert address.startswith(("data:", "#")) or (style.parent / address).exists(), address


def test_the_search_works_in_files_without_a_server(site: Path, chromium: Any) -> None:
    requests: list[str] = []
    with new_page(chromium, viewport={"width": 390, "height": 800}) as page:
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site / "store.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 800})
        page.locator(".md-search__input").press_sequentially("confusion_matrix")
        page.locator(".md-search-result__link").filter(has_text="confusion_matrix").first.click()
        expect(page).to_have_url(re.compile("insights"))
    assert {urlsplit(url).scheme for url in requests} == {"file"}
