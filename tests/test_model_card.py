"""The model card: all that a reader must know is in it, in Markdown, in HTML, and at its address."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import awkward_names
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import TESTS, Server, open_app, run_irislib

import irislib
from irislib._common.language import VARIABLE
from irislib._common.paths import write_atomically
from irislib.api._config import Options
from irislib.api._routes import create_app
from irislib.cli import main
from irislib.insights._confidence_intervals import bootstrap

TOKEN = "a-token"  # noqa: S105
WILD = "<script>alert('x')</script> | a*b*c `d` [e](javascript:f) &lt; _g_ $h$"


class Page(HTMLParser):
    """An HTML page: its tags, its attributes, and the text of each element that holds some."""

    VOID = ("meta", "link")

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def command(*args: str) -> subprocess.CompletedProcess[str]:
    return run_irislib("card", *args, cwd=TESTS)


def rows(markdown: str, section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = markdown.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.fixture(scope="module")
def wild() -> irislib.Model:
    """A model whose every text is an attack."""
    texts = dict.fromkeys(("title", "source", "purpose", "limits", "license", "contact", "target_unit"), WILD)
    features = [replace(awkward_names.spec.features[0], label=WILD, help=WILD), *awkward_names.spec.features[1:]]
    return irislib.train(replace(awkward_names.spec, name="wild", features=features, examples={}, **texts))


def test_the_cli_writes_the_card_of_the_example(iris: Any) -> None:
    result = command()
    assert result.returncode == 0, result.stderr
    text = result.stdout
    # what is about the training is that of another process; the rest is the same
    assert re.sub(r"20\d\d-\d\d-\d\d( \d\d:\d\d)?", "", text) == re.sub(
        r"20\d\d-\d\d-\d\d( \d\d:\d\d)?", "", irislib.card(iris)
    )
    assert text.startswith("# Iris Wizard\n\nPredicts species: setosa, versicolor or virginica.\n")
    assert "150 rows. It was trained on 120 of them; the other 30" in text
    assert "doi:10.1111/j.1469-1809.1936.tb02137.x" in text
    assert f"* **Version**: {iris.version}" in text
    assert "CC BY 4.0" in text
    assert [row[0] for row in rows(text, "Inputs")] == iris.spec.feature_names
    for row, feature in zip(rows(text, "Inputs"), iris.spec.features, strict=True):
        seen = iris.coverage[feature.name]
        assert row[2:] == ["cm", "a number above 0 and at most 30 cm", "yes", f"{seen['low']:g} to {seen['high']:g} cm"]
    held_out = iris.evaluation
    accuracy = next(row for row in rows(text, "How well it does") if row[0] == "accuracy")
    assert accuracy[1] == f"{held_out.metrics['accuracy']:.3f}"
    assert accuracy[3] == f"{held_out.metrics['baseline_accuracy']:.3f}" == "0.333"
    assert re.fullmatch(r"0\.\d{3} to [01]\.\d{3}", accuracy[2])
    assert "It was right for 29 of 30 test rows" in text
    results = rows(text, "How well it finds each class")
    assert [(row[0], row[4]) for row in results] == [("setosa", "10"), ("versicolor", "10"), ("virginica", "10")]
    frame = irislib.insights.class_metrics(iris).frame.set_index("class")
    for row in results:
        assert row[2].startswith(f"{frame.loc[row[0], 'recall']:.3f} ({frame.loc[row[0], 'recall from']:.3f} to ")


def test_the_card_of_a_regression_with_categories(rent: Any) -> None:
    text = irislib.card(rent)
    assert text.startswith("# Flat rent\n\nPredicts rent, a number in EUR.\n")
    table = {row[0]: row[1:] for row in rows(text, "Inputs")}
    assert list(table) == rent.spec.feature_names
    area = rent.coverage["area_m2"]
    assert table["area_m2"] == [
        "Area",
        "m²",
        "a number at least 5 and at most 1000 m²",
        "yes",
        f"{area['low']:g} to {area['high']:g} m²",
    ]
    assert table["district"] == ["District", "–", "one of 'centre', 'harbour', 'hill'", "no", "centre, harbour, hill"]
    assert table["balcony"][-1] == "no, yes"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", table["built"][-1])
    measures = {row[0]: row[1:] for row in rows(text, "How well it does")}
    assert list(measures) == ["R²", "mean absolute error", "root mean squared error"]
    value, interval, baseline = measures["mean absolute error"]
    low, high = re.fullmatch(r"(\d\d\.?\d?) to (\d\d\.?\d?) EUR", interval).groups()
    assert float(low) < float(value.removesuffix(" EUR")) < float(high) < float(baseline.removesuffix(" EUR"))
    assert "## How well it finds each class" not in text
    assert "It was measured on rows whose rent is" in text
    # nobody has written these
    assert text.count("does not say") == 5


def test_values_that_the_training_data_lack_are_listed(rent: Any) -> None:
    coverage = {**rent.coverage, "district": {"values": ["centre"]}, "balcony": {"values": [False]}}
    text = irislib.card(replace(rent, coverage=coverage))
    assert "The training data contain no row with District: harbour, hill." in text
    assert "The training data contain no row with Balcony: yes." in text
    assert "contain no row" not in irislib.card(rent)


def test_texts_of_the_spec_are_no_markup(wild: irislib.Model) -> None:
    page = Page(irislib.card_html(wild))
    assert "script" not in [tag for tag, _ in page.tags]
    assert page.of("h1") == [WILD]
    assert page.of("title") == [f"{WILD}: model card"]
    for tag in ("p", "td", "dd"):
        assert any(WILD in text for text in page.of(tag)), tag
    markdown = irislib.card(wild)
    assert not re.search(r"(?<!\\)[<`*&$~]", markdown.replace("* **", "").replace("**: ", ""))
    assert "\\<script\\>" in markdown
    assert "](javascript" not in markdown.replace("\\](javascript", "")
    assert {len(row) for row in rows(markdown, "Inputs")} == {6}  # no bar has made another column


def test_markdown_is_read_as_it_was_written(wild: irislib.Model) -> None:
    mistune = pytest.importorskip("mistune")
    texts = ["1. one", "- two", "--", "===", "+ three", "#4", "5.5 to 6", "a_b _c_", "<https://x.org>", "6) y", WILD]
    spec = replace(wild.spec, limits="\n\n".join(texts))
    html = mistune.create_markdown(plugins=["table", "strikethrough"])(irislib.card(replace(wild, spec=spec)))
    page = Page(html)
    read = "".join(text for _, text in re.findall(r"<p>()(.*?)</p>", html, re.S))
    assert [tag for tag, _ in page.tags if tag in ("ol", "hr", "em", "code", "a", "script", "h3", "del")] == []
    assert len([tag for tag, _ in page.tags if tag == "ul"]) == 1  # the facts
    for text in texts[:-1]:
        assert f"<p>{text.replace('<', '&lt;').replace('>', '&gt;')}</p>" in html, text
    assert read.count("&lt;script&gt;") >= 3


def test_an_empty_line_begins_a_paragraph(iris: Any) -> None:
    model = replace(iris, spec=replace(iris.spec, purpose="One\nline.\n\n  Another one.\n"))
    assert "\nOne line.\n\nAnother one.\n" in irislib.card(model)
    page = Page(irislib.card_html(model))
    assert {"One\nline.", "Another one."} <= set(page.of("p"))


def test_the_html_file_needs_no_other_file(iris: Any, rent: Any, wild: irislib.Model) -> None:
    for model in (iris, rent, wild):
        html = irislib.card_html(model)
        page = Page(html)
        assert len(page.of("h1")) == 1
        assert ("html", {"lang": "en"}) in page.tags
        assert not re.search(r"src=|@import|url\(", html)
        links = [attrs["href"] for tag, attrs in page.tags if tag in ("a", "link")]
        assert all(link.startswith("#") or link == "data:," for link in links)
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in links if link.startswith("#")} == set(ids)
        assert {attrs.get("scope") for tag, attrs in page.tags if tag == "th"} == {"col", "row"}


def test_both_formats_have_the_same_content(iris: Any, rent: Any) -> None:
    for model in (iris, rent):
        markdown = irislib.card(model).replace("\\", "")
        page = Page(irislib.card_html(model))
        for tag in ("h1", "h2", "p", "th", "td", "dt", "dd"):
            for text in page.of(tag):
                assert text in markdown, text


def test_the_texts_of_the_card_do_not_make_another_version(iris: Any) -> None:
    texts = dict.fromkeys(("purpose", "limits", "license", "contact"), "Something else.")
    assert replace(iris.spec, **texts).digest == iris.spec.digest


def test_few_rows_have_no_interval_that_would_feign_certainty(rent: Any) -> None:
    numbers = np.arange(9.0)
    assert bootstrap(lambda x, axis=-1: x.mean(axis=axis), (numbers,), 0) is None
    assert bootstrap(lambda x, axis=-1: x.mean(axis=axis) / 0, (np.arange(10.0),), 0) is None
    low, high = bootstrap(lambda x, axis=-1: x.mean(axis=axis), (np.arange(100.0),), 0)
    spread = 1.96 * np.arange(100.0).std() / 10
    assert (low, high) == pytest.approx((49.5 - spread, 49.5 + spread), abs=1)
    assert bootstrap(lambda x, axis=-1: x.mean(axis=axis), (np.arange(100.0),), 0) == (low, high)


# ---- the command


def test_the_suffix_of_a_file_sets_the_format(rent: Any, tmp_path: Path, capsys: Any) -> None:
    for name, args, beginning in (
        ("card.html", (), "<!doctype html>"),
        ("CARD.MD", (), "# Flat rent"),
        ("card", ("--format", "html"), "<!doctype html>"),
        ("card.htm", ("--format", "md"), "# Flat rent"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["card", "--model", "rent:spec", "--output", str(tmp_path / name), *args])
        assert ended.value.code == 0
        assert capsys.readouterr() == ("", "")
        assert (tmp_path / name).read_text().startswith(beginning)
    assert len(list(tmp_path.iterdir())) == 4  # nothing is left beside them


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--output", "card.txt"], "card.txt does not say what to write: end it in .md or .html, or give --format."),
        (["--output", "nowhere/card.md"], "nowhere/card.md cannot be written: No such file or directory."),
        (["--output", ".", "--format", "md"], ". cannot be written: Is a directory."),
        (["--format", "pdf"], "invalid choice: 'pdf'"),
        (["--model", "rent:spce"], "The module 'rent' has no 'spce'. Did you mean 'spec'?"),
        (["--model", "rent:spec", "--model", "irislib.iris:spec"], "Give one model with --model; there are flat-rent,"),
    ],
)
def test_an_invalid_option_is_one_message(
    args: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["card", *args])
    assert ended.value.code
    assert sentence in f"{ended.value} {capsys.readouterr().err}"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, link = tmp_path / "card.md", tmp_path / "link.md"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with path.open() as reader:
        write_atomically(link, "after")
        assert reader.read() == "before"  # who reads it already has all of what was there
    assert path.read_text() == "after"
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)  # the last moment at which a disk can say so
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "half")
    assert path.read_text() == "after"
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    result = command("--model", "rent:spec", "--output", "/dev/stdout", "--format", "md")
    assert result.stdout.startswith("# Flat rent"), result.stderr


# ---- its address


def test_both_servers_serve_the_card(serve: Server, api: Server) -> None:
    for server in (serve, api):
        for name, title in (("iris-wizard", "Iris Wizard"), ("flat-rent", "Flat rent")):
            response = server.get(f"/{name}/card")
            assert response.status_code == 200
            assert response.headers["Content-Type"].startswith("text/html")
            assert response.headers["X-Model-Version"] in response.text
            assert Page(response.text).of("h1") == [title]
        assert server.get("/nothing/card").status_code == 404
        assert server.post("/iris-wizard/card").status_code == 405
        assert 'href="iris-wizard/card"' in server.get("/docs").text
    assert serve.get("/dummy/card").status_code == 404  # a page without a model


def test_the_app_links_the_card_if_the_server_has_it(page: Any, serve: Server, iris: Any) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Model card").click()
    opened.value.get_by_role("heading", name="Iris Wizard", level=1).wait_for()
    assert opened.value.url == f"{serve.url}/iris-wizard/card"
    open_app(page, serve, "dummy", "Submit")
    assert page.get_by_role("link", name="Model card").count() == 0
    # in a notebook there is no such address
    assert irislib.app(iris).facts["card"] == ""


def test_only_the_served_version_is_linked(iris: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRISLIB_STARTED_WITH", str(tmp_path))
    assert irislib.app(iris).facts["card"] == ""
    irislib._modeling.registry.store.save(iris, tmp_path)
    assert irislib.app(iris).facts["card"] == "iris-wizard/card"
    assert irislib.app(replace(iris, version="another")).facts["card"] == ""


@pytest.mark.parametrize("name", ["iris-wizard", "flat-rent"])
def test_the_card_is_accessible(page: Any, serve: Server, name: str) -> None:
    page.goto(f"{serve.url}/{name}/card")
    for width, scheme in ((1280, "light"), (390, "dark")):  # colours do not depend on the width
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{width}, {scheme}:\n{results.generate_report()[:2000]}"


def test_a_card_is_in_the_language_of_the_browser(iris: Any) -> None:
    endpoint = create_app([iris]).test_client()
    for accepted, language, words in [
        ("de-AT,de;q=0.9", "de", ["Wofür es nicht taugt", "Länge des Blütenblatts", "Bereich mit 95", "Genauigkeit"]),
        ("fr", "en", ["When not to use it", "Petal length", "95% interval", "accuracy"]),
    ]:
        response = endpoint.get("/iris-wizard/card", headers={"Accept-Language": accepted})
        assert (response.headers["Content-Language"], response.headers["Vary"]) == (language, "Accept-Language")
        assert f'<html lang="{language}">' in response.text
        assert [word for word in words if word not in response.text] == []
    english = create_app([iris], options=Options(languages=("en",))).test_client()
    assert 'lang="en"' in english.get("/iris-wizard/card", headers={"Accept-Language": "de"}).text


def test_a_german_card_has_no_english_text(iris: Any, rent: Any, monkeypatch: Any) -> None:
    english = [Page(irislib.card_html(model)).texts for model in (iris, rent)]
    monkeypatch.setenv(VARIABLE, "de")
    for model, texts in zip((iris, rent), english, strict=True):
        spec, german = model.spec, Page(irislib.card_html(model)).texts
        same = {text for (_, text), (_, other) in zip(texts, german, strict=True) if text == other}
        same -= {*spec.feature_names, *(feature.label for feature in spec.features), *map(str, model.classes or ())}
        same -= {"Name", "Version", spec.title, spec.source, ", ".join(spec.features[2].choices), *CODE}
        assert {text for text in same if re.search("[a-z]{3}", text) and "irislib" not in text} == set()


CODE = {"RandomForestClassifier", "Pipeline", "ColumnTransformer, dann HistGradientBoostingRegressor"}
