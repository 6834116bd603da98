"""The page of the endpoint for people."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import awkward_names
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from conftest import NO_R, PATIENCE, has_r
from werkzeug.serving import make_server

import irislib
from irislib import insights
from irislib._common.messages.api import TEXTS
from irislib.api import Options, _insights, create_app
from irislib.api._openapi import docs, document

TOKEN = "a-token"  # noqa: S105
SECURED = Options(token=TOKEN)


@pytest.fixture(scope="module")
def models(iris, rent) -> list[irislib.Model]:
    return [iris, rent, irislib.load(awkward_names.spec), irislib.load(awkward_names.bare)]


@pytest.fixture(scope="module")
def live(models) -> Iterator[str]:
    """The address of a server that asks for a token."""
    server = make_server("127.0.0.1", 0, create_app(models, options=SECURED), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


GUARD = {"Authorization": f"Bearer {TOKEN}"}
BLOCK = re.compile(
    r'<figure class="([^"]*)">\s*<figcaption>(.*?)</figcaption>\s*<pre[^>]*><code>(.*?)</code></pre>', re.S
)


def blocks(page: str) -> dict[str, str]:
    """Return the code blocks of a page by caption."""
    return {unescape(caption): unescape(text) for _, caption, text in BLOCK.findall(page)}


def run(language: str, text: str, folder: Path) -> str:
    text = text.replace("YOUR_TOKEN", TOKEN)
    commands = {"curl": ["sh", "-c", text], "Python": [sys.executable, "-c", text], "R": ["Rscript", "-e", text]}
    result = subprocess.run(commands[language], capture_output=True, text=True, cwd=folder, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("language", ["curl", "Python", "R"])
def test_the_samples_get_the_answer_on_the_page(live: str, models, language: str, tmp_path: Path) -> None:
    if language == "R" and not has_r():
        pytest.fail(NO_R) if os.environ.get("CI") else pytest.skip(NO_R)
    for model in models[:3]:
        code = blocks(requests.get(f"{live}/{model.spec.name}", headers=GUARD, timeout=PATIENCE).text)
        printed = run(language, code[f"In {language}"], tmp_path)
        answer = json.loads(code["The answer"])
        if language == "curl":
            assert json.loads(printed) == answer
            (tmp_path / "rows.csv").write_bytes(code["rows.csv"].encode())
            run("curl", code["CSV with curl"], tmp_path)
            assert (tmp_path / "answers.csv").read_bytes().decode().splitlines() == code["answers.csv"].splitlines()
        elif language == "Python":
            assert printed.strip() == str(answer)
        else:
            value = json.loads(printed.removeprefix("[1] "))
            assert value == pytest.approx(answer, rel=1e-4) if isinstance(answer, float) else value == answer


def test_texts_of_a_model_are_no_html(models) -> None:
    page = docs.page(document.document(models))
    for wild in ("<i>", "<b>Odd", "<u>", "<script"):
        assert wild not in page
    assert "&lt;i&gt;Next&lt;/i&gt;" in page
    assert re.findall(r"<link[^>]*>|src=|@import|url\(", page) == ['<link rel="icon" href="data:,">']
    links = re.findall(r'<a href="([^"]*)"', page)
    assert links
    assert not [link for link in links if ":" in link or link.startswith("/")]  # they work behind any proxy


def test_texts_of_the_document_are_no_html(models) -> None:
    description = document.document(models)
    description["info"]["description"] = "<script> and `x < y`"
    assert "&lt;script&gt; and <code>x &lt; y</code>" in docs.page(description)


def test_the_page_of_one_model(models) -> None:
    page = docs.page(document.document(models, options=SECURED), "flat-rent")
    assert '<h1 id="flat-rent">Flat rent</h1>' in page
    assert "petal" not in page
    assert "rent</b>, in EUR" in page
    assert "harbour" in page
    row = r"<tr>\s*<th scope=\"row\">(?:<a [^>]*>)?<code>(\w+)</code>"
    rows = re.findall(row, page)
    assert rows == [*models[1].spec.feature_names, *_insights.insights_of(models[1])]


def test_the_page_has_the_required_fields(models) -> None:
    page = docs.page(document.document(models), "flat-rent")
    needed = dict(re.findall(r"<code>(\w+)</code></th>.*?<td>(yes|no)</td>", page, re.S))
    assert needed == {"area_m2": "yes", "rooms": "no", "district": "no", "balcony": "yes", "built": "yes"}


def test_the_samples_have_a_token_only_if_it_is_needed(models) -> None:
    assert "YOUR_TOKEN" in docs.page(document.document(models, options=SECURED))
    assert "YOUR_TOKEN" not in docs.page(document.document(models))


@pytest.mark.parametrize("path", ["docs", "flat-rent"])
def test_the_page_is_for_everyone(page, live: str, path: str) -> None:
    page.set_extra_http_headers(GUARD)
    page.goto(f"{live}/{path}")
    for width, scheme in ((1280, "light"), (390, "dark")):  # colours do not depend on the width
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.emulate_media(color_scheme=scheme)
        result = Axe().run(page)
        assert result.violations_count == 0, f"{width}, {scheme}:\n{result.generate_report()[:2000]}"
    page.locator("#flat-rent-curl").focus()
    page.keyboard.press("ArrowRight")
    sample = page.locator("#flat-rent-curl ~ figure code")
    assert [block.is_visible() for block in sample.all()] == [False, True, False]
    assert "import requests" in sample.nth(1).inner_text()


def test_no_text_is_unused() -> None:
    package = Path(irislib.__file__).parent
    serving = package / "_serving"
    files = [*(package / "api").rglob("*"), serving / "model_loader.py", serving / "page_handler.py"]
    files += (package / "_prediction_log").rglob("*")
    sources = "".join(path.read_text() for path in files if path.suffix in (".py", ".j2"))
    composed = (
        "docs.fields.",
        "docs.insights.",
        "docs.yes",
        "docs.no",
        "status.",
        "example.",
        "insight.",
        "model.",
        "refresh.",
    )
    used = set(re.findall(r"""["']([\w.]+)["']""", sources))
    assert [key for key in TEXTS if key not in used and not key.startswith(composed)] == []


def test_every_insight_of_the_library_has_a_sentence() -> None:
    names = [name for name in insights.__all__ if name not in ("Insight", "default_tabs", "on_demand")]
    assert [name for name in names if f"insight.{name}" not in TEXTS] == []
