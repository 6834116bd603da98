"""Pages in the language of a visitor's browser."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import re
import string
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from html import unescape
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from conftest import PATIENCE, TESTS, run_irislib
from rent import DISTRICTS
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from test_accessibility import check

import irislib
from irislib import Feature, ModelSpec, dummy, insights
from irislib._common import messages
from irislib._common.formatting import format_count, format_score, format_share, format_value
from irislib._common.language import (
    LANGUAGES,
    REQUESTED,
    VARIABLE,
    Texts,
    column_label,
    column_labels,
    localize,
    parse_languages,
    preferred,
    translation,
)
from irislib._description.translation import translated
from irislib._description.values import to_json
from irislib._modeling import csv_layout
from irislib.errors import IrislibError, NotApplicableError, SpecError, ValidationError
from irislib.widgets._html import render, render_pieces
from irislib.widgets._pieces import numbers_of

OTHERS = [language for language in LANGUAGES if language != "en"]
MODULES = [import_module(module.name) for module in iter_modules(messages.__path__, f"{messages.__name__}.")]
TABLES = [module.TEXTS for module in MODULES if isinstance(getattr(module, "TEXTS", None), Texts)]


@pytest.fixture
def german():
    token = REQUESTED.set("de")
    yield
    REQUESTED.reset(token)


def names_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.area)
def test_a_translation_has_each_text_and_its_names_in_braces(language: str, table: Texts) -> None:
    translated = translation(language, table.area)
    assert translated.keys() == table.english.keys()
    differing = {key for key, text in translated.items() if names_in(text) != names_in(table.english[key])}
    assert differing == set()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0.2, en;q=0.7", "en"),
        ("fr-FR,de;q=0.4", "de"),
        ("fr", "en"),
        ("de;q=0", "en"),
        ("", "en"),
        ("*", "en"),
        (";;q=x,,", "en"),
    ],
)
def test_the_browser_chooses_the_language(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_a_setting_names_the_languages() -> None:
    assert preferred("de", parse_languages("en")) == "en"
    assert preferred("fr", parse_languages("de, en")) == "de"
    with pytest.raises(IrislibError, match="takes some of en, de"):
        parse_languages("en,xx")


def test_german_numbers_and_plurals(german) -> None:
    texts = Texts("page", {})
    assert texts["trained"].format(when="31.01.2026", rows=1) == "am 31.01.2026, mit 1 Zeile"
    assert texts["first_rows"].format(count=20, total=1500) == "Die ersten 20 von 1.500 Zeilen:"
    assert texts["trained"].format(when="heute", rows="1.200").endswith("mit 1.200 Zeilen")
    assert (localize("1,234.5"), localize("99.7%")) == ("1.234,5", "99,7\xa0%")


def test_english_stays_as_it_is() -> None:
    assert localize("1,234.5 is 99.7%") == "1,234.5 is 99.7%"


def test_values_for_people_are_german_and_those_for_programs_are_not(german) -> None:
    day = dt.date(2026, 1, 31)
    assert (format_value(1234.5), format_value(day)) == ("1234,5", "31.01.2026")
    assert (format_share(0.997), format_score(0.99), format_count(1500)) == ("99,7\xa0%", "0,990", "1.500")
    feature = Feature("day", "date", low=day)
    assert feature.limits == "ab 31.01.2026"
    assert column_label("contribution (USD)") == "Beitrag (USD)"
    assert column_label("true less predicted (USD)") == "wahr minus vorhergesagt (USD)"
    assert column_label("contribution to P(yes)") == "Beitrag zu P(yes)"
    assert (feature.to_text(day), to_json(day)) == ("2026-01-31", "2026-01-31")


def test_an_insight_is_german_and_its_frame_is_not(iris, german) -> None:
    insight = insights.calibration(iris)
    assert insight.title == "Kann man seinen Wahrscheinlichkeiten trauen?"
    assert "Für die Testzeilen" in insight.text
    assert list(insight.frame) == ["probability", "share right", "from", "to", "rows"]
    figure = insight.plot()
    assert figure.axes[0].get_ylabel() == "Anteil richtiger Antworten"
    figure.draw_without_rendering()
    assert "0,2" in " ".join(label.get_text() for label in figure.axes[0].get_yticklabels())
    assert insights.calibration(iris).plot().axes[0].get_xlabel() == "Wahrscheinlichkeit der vorhergesagten Klasse"


def test_a_problem_with_a_value_is_german(iris, german) -> None:
    with pytest.raises(ValidationError, match=r"passt nicht, erlaubt: über 0 und bis 30 cm. Eingegeben: 99"):
        iris.predict([{feature.name: 99 for feature in iris.spec.features}])


FLAT = {"area_m2": 40, "rooms": None, "district": "hill", "balcony": True, "built": "1990-05-01"}
GRADED = {"width": 3.0, "rows": None}
# names and values of a model that are names of the library's own columns too
GRADES = {2: ["from", "yes"], 3: ["high", "low", "true positives"]}


@cache
def graded(count: int) -> irislib.Model:
    """Train a classifier of so many classes, whose names, values and classes are such as columns of insights have."""
    rng = np.random.default_rng(0)
    width, rows = rng.uniform(0, 9, 240), rng.choice(["from", "to", ""], 240)
    noisy = np.clip(width + rng.normal(0, 1, 240), 0, 8.9)
    data = pd.DataFrame({
        "width": width,
        "rows": pd.Series(rows).replace("", None),
        "row": np.asarray(GRADES[count])[(noisy * count / 9).astype(int)],
    })  # fmt: skip
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["rows"]), remainder="passthrough")
    spec = ModelSpec(
        name="graded",
        features=[
            Feature("width", label="cost"),
            Feature("rows", "choice", label="before", choices=["from", "to"], required=False),
        ],
        target="row",
        target_label="error",
        load_data=lambda: data,
        estimator=make_pipeline(encode, RandomForestClassifier(5, max_depth=4, random_state=0)),
    )
    return irislib.train(spec)


def all_insights(model: irislib.Model, row: dict[str, Any]) -> Iterable[insights.Insight]:
    """Yield every insight that suits a model."""
    for name in set(insights.__all__) - {"Insight", "default_tabs", "on_demand"}:
        function = getattr(insights, name)
        rows = [model.predict_row(row)] * len({"row", "other"} & inspect.signature(function).parameters.keys())
        with suppress(NotApplicableError):
            yield function(model, *rows)


@pytest.mark.parametrize("count", [0, 2, 3], ids=["numbers", "two classes", "three classes"])
def test_the_numbers_of_each_insight_are_german(count: int, rent, german) -> None:
    model, row = (graded(count), GRADED) if count else (rent, FLAT)
    columns = translation("de", "columns")
    own = {feature.label for feature in model.spec.features} | {str(label) for label in model.classes or ()}
    own |= {model.spec.target, model.spec.target_label, "from", "to", *map(str, DISTRICTS)}
    english = words(columns) - words(columns.values()) - words(own)
    page = irislib.app(model)
    many = 0
    with column_labels(page.column_labels):
        for insight in all_insights(model, row):
            html = render(numbers_of(insight))
            cells = [unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", html)]
            assert not words(cells) & english, insight.title
            assert not {"nan", "None", "True", "False"} & set(cells), insight.title
            assert not {"entry", "is_entered"} & set(cells)
            assert ">nan<" not in insight._repr_html_().lower()
            many += 1
    assert many > 8


def test_names_and_classes_stay_in_german(german) -> None:
    model, classes = graded(3), GRADES[3]
    matrix = insights.confusion_matrix(model)
    header = re.findall(r"<th scope=\"col\".*?>(.*?)</th>", render(numbers_of(matrix)))
    assert header == ["row, wahr \\ row, vorhergesagt", *classes]
    assert all(f"<th>{name}</th>" in matrix._repr_html_() for name in classes)
    names = {"cost", "before"}
    for panel in insights.partial_dependence(model).panels():
        (axes,) = panel.plot().axes
        assert [text.get_text() for text in axes.get_legend().get_texts()] == classes
        labels = {axes.get_xlabel(), axes.get_ylabel()}
        assert "Wahrscheinlichkeit" in labels
        names -= labels
    assert not names
    assert column_label("probability_yes") == "Wahrscheinlichkeit von yes"
    assert column_label("contribution to P(high), percentage points") == "Beitrag zu P(high), Prozentpunkte"
    assert column_label("predicted low") == "low, vorhergesagt"


def test_a_report_on_two_versions_leaves_the_names_of_features(german) -> None:
    before = graded(2)
    estimator = DummyClassifier(strategy="constant", constant=GRADES[2][0])
    after = irislib.train(replace(before.spec, estimator=estimator))
    html = irislib.compare(before, after)._repr_html_()
    header = re.findall("<th>(.*?)</th>", html[html.rindex("<thead>") : html.rindex("</thead>")])
    assert header == ["width", "rows", "wahrer Wert", "vorher", "nachher", "Änderung"]


def test_the_library_names_its_own_series_in_german(german) -> None:
    model = graded(2)
    legends = {"class_metrics": {"Präzision", "Trefferquote"}, "decision_threshold": {"Präzision", "Trefferquote"}}
    legends["learning_curve"] = {"Genauigkeit bei neuen Zeilen", "Genauigkeit bei Trainingszeilen"}
    for name, series in legends.items():
        (axes,) = getattr(insights, name)(model).plot().axes
        assert series <= {text.get_text() for text in axes.get_legend().get_texts()}
    axes = [insights.roc_curve(model).plot().axes[0], insights.feature_importances(model).plot().axes[0]]
    assert axes[0].get_ylabel() == "Anteil richtig Gefundener"
    assert axes[1].get_xlabel() == "Wichtigkeit"
    (axes,) = insights.contributions(model, GRADED).plot().axes
    assert axes.get_xlabel().endswith("Prozentpunkte")


def test_a_text_without_a_translation_is_english(german) -> None:
    assert Texts("page", {"newest": "Something new"})["newest"] == "Something new"


def test_a_server_answers_in_the_language_of_the_browser(serve) -> None:
    for accepted, language, word in [("de-AT,de;q=0.9", "de", "Vorhersage"), ("fr", "en", "Prediction")]:
        reply = requests.get(f"{serve.url}/iris-wizard", headers={"Accept-Language": accepted}, timeout=PATIENCE)
        assert reply.headers["Content-Language"] == language
        assert "Accept-Language" in reply.headers["Vary"]
        assert f'<html lang="{language}"' in reply.text
        assert word in reply.text
    missing = requests.get(f"{serve.url}/nothing", headers={"Accept-Language": "de"}, timeout=PATIENCE)
    assert "Seite nicht gefunden" in missing.text
    problem = requests.post(f"{serve.url}/iris-wizard", json={}, headers={"Accept-Language": "de"}, timeout=PATIENCE)
    assert "is missing" in problem.text  # programs are answered in English


def test_commands_answer_in_english_whatever_the_environment() -> None:
    result = run_irislib("predict", "petal_length_cm=99", IRISLIB_LANGUAGE="de")
    assert "must be above 0" in result.stderr


LABELS = {"Petal length": "Länge des Blütenblatts", "From the base to the tip of a petal.": "Vom Ansatz zur Spitze."}


def test_the_authors_own_texts_have_translations(iris, monkeypatch) -> None:
    spec = replace(iris.spec, translations={"de": LABELS})
    model = replace(iris, spec=spec)
    assert irislib.app(model).facts["fields"][0]["label"] == "Petal length"
    monkeypatch.setenv(VARIABLE, "de")
    page = irislib.app(model)
    labels = [field["label"] for field in page.facts["fields"]]
    assert labels[:2] == ["Länge des Blütenblatts", "Petal width"]
    assert page.facts["fields"][0]["help"] == "Vom Ansatz zur Spitze."
    assert spec.digests == iris.spec.digests  # no stored model is stale


@pytest.mark.parametrize(
    ("translations", "fault"),
    [
        ({"fr": {}}, "there is no language 'fr'; there are de."),
        ({"en": {}}, "there is no language 'en'"),
        ({"de": {"Petal length": " "}}, "that of 'Petal length' must be text"),
        ({"de": ["Länge"]}, "give a dict of texts for 'de', got a list"),
        (["de"], "give a dict of texts by language"),
    ],
)
def test_a_faulty_translation_is_named(iris, translations, fault: str) -> None:
    with pytest.raises(SpecError, match=re.escape(fault)):
        replace(iris.spec, translations=translations)


def test_the_check_names_missing_and_superfluous_translations(tmp_path) -> None:
    (tmp_path / "tiny.py").write_text((TESTS / "tiny.py").read_text())
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nimport tiny\n"
        "spec = replace(tiny.spec, title='Grains', translations={'de': {'Siez': 'Größe', 'Class': 'Art'}})\n"
    )
    result = run_irislib("check", "--model", "mine", cwd=tmp_path)
    assert "translations: 'Siez' is no text of the description. Did you mean 'Size'?" in result.stdout
    assert "no translation to 'de' of 'Grains', 'Size'" in result.stdout
    assert result.returncode


def test_a_file_may_have_the_labels_of_either_language(iris, german) -> None:
    spec = translated(iris.spec, "de")
    for features in (iris.spec.features, spec.features):
        header = ",".join(feature.label for feature in features)
        layout = csv_layout.read_layout(io.BytesIO(f"{header}\n1,2,3,4\n".encode()), spec.features)
        assert list(layout.columns.values()) == [0, 1, 2, 3]


def test_frames_are_the_same_in_any_language(iris, german) -> None:
    frame = insights.prediction_set(iris, iris.evaluation.features.head(1)).frame
    assert set(frame["in the set"]) <= {"yes", "no"}
    html = render_pieces([frame])
    assert "<td>ja</td>" in html
    assert "<td>yes</td>" not in html


def test_translations_are_in_the_models_file(iris, tmp_path) -> None:
    path = iris.save(tmp_path / "iris.irislib")
    assert irislib.load(path).spec.translations == iris.spec.translations != {}


def words(texts: Iterable[str]) -> set[str]:
    return {word.casefold() for text in texts for word in re.findall(r"[^\W\d_]{3,}", text)}


def texts_of(page: Any) -> list[str]:
    """Return all that people read on a page: its title, its text and its labels."""
    attributes = "[...document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')].flatMap((e) => "
    attributes += "['aria-label', 'title', 'placeholder', 'alt'].map((name) => e.getAttribute(name) ?? ''))"
    return [page.title(), page.inner_text("body"), *page.evaluate(attributes)]


def known_words(iris: Any) -> tuple[set[str], set[str]]:
    """Return the words of English texts, and those that are on German pages: German ones, names and values."""
    others = [translation("de", "columns"), iris.spec.translations["de"], dummy.TRANSLATIONS["de"]]
    english = {word for table in TABLES for word in words(table.english.values())}.union(*map(words, others))
    tables = [*others, *(translation("de", table.area) for table in TABLES)]
    german = {word for table in tables for word in words(table.values())}
    values = [*iris.classes, *(value for feature in dummy.FEATURES for value in feature.choices)]
    values += [*iris.spec.feature_names, *dummy.EXAMPLES["A little of each"].values()]
    return english, german | words([*map(str, values), iris.spec.title, iris.spec.action, "Dummy Text"])


def test_german_pages_have_no_english_word(chromium, serve, iris, tmp_path) -> None:
    labels = [iris.spec.translations["de"][feature.label] for feature in iris.spec.features]
    lines = ["6,2.5,6.3,3.3,virginica", "1.4,0.2,5.1,3.5,versicolor", "x,1,1,1,setosa", "25,2.5,6.3,3.3,"]
    (tmp_path / "zeilen.csv").write_text("\n".join([",".join([*labels, "Art"]), *lines]))
    context = chromium.new_context(locale="de-DE")
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    try:
        page.goto(serve.url)
        read = texts_of(page)
        read += read_model_page(page, f"{serve.url}/iris-wizard")
        page.locator("input[type=file]").set_input_files(tmp_path / "zeilen.csv")
        page.get_by_role("button", name="Alle Zeilen vorhersagen").click()
        page.get_by_role("button", name="Ergebnis herunterladen").wait_for()
        for button in page.get_by_role("button", name="Zahlen").all():
            if button.is_visible():
                button.click()
        read += texts_of(page)
        check(page, "a German table")
        page.goto(f"{serve.url}/iris-wizard/card")
        read += texts_of(page)
        page.goto(f"{serve.url}/dummy")
        page.get_by_role("button", name="Von allem etwas").click()
        page.get_by_role("button", name="Abschicken").click()
        page.locator(".irislib-table").wait_for()
        read += texts_of(page)
        page.get_by_role("tab", name="Diagramm").click()
        page.locator(".irislib-figure").wait_for()
        read += texts_of(page)
        check(page, "the German dummy")
    finally:
        context.close()
    english, known = known_words(iris)
    assert words(read) & english - known == set()


def read_model_page(page: Any, url: str) -> list[str]:
    """Return all that people read on the page of the Iris Wizard, with a wrong value and in each tab."""
    page.goto(url)
    button = page.get_by_role("button", name="Abrakadabra")
    button.click()
    page.locator(".irislib-answer").wait_for()
    page.get_by_label("Länge des Blütenblatts").fill("99")
    page.get_by_label("Breite des Blütenblatts").click()
    page.locator(".irislib-message:visible").first.wait_for()
    read = texts_of(page)
    page.get_by_label("Länge des Blütenblatts").fill("7")
    button.click()
    page.locator(".irislib-result .irislib-warning").first.wait_for()  # not the hidden one about old answers
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect_content(page.locator(".irislib-pane:visible"))
        read += texts_of(page)
    return read


def expect_content(pane: Any) -> None:
    """Wait until a tab is drawn, its jobs that start by themselves included."""
    pane.locator(":scope .irislib-empty").wait_for(state="detached")
    pane.locator("progress").wait_for(state="detached")
