"""Pages in the language of a visitor's browser."""

from __future__ import annotations

import datetime as dt
import string
from importlib import import_module
from pkgutil import iter_modules

import pytest
import requests
from conftest import PATIENCE, run_irislib

from irislib import Feature, insights
from irislib._common import messages
from irislib._common.formatting import format_count, format_score, format_share, format_value
from irislib._common.language import (
    LANGUAGES,
    REQUESTED,
    VARIABLE,
    Texts,
    localize,
    parse_languages,
    preferred,
    translation,
)
from irislib._description.values import to_json
from irislib.api import create_app
from irislib.errors import IrislibError, ValidationError

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


def test_programs_are_answered_in_english_whatever_the_environment(iris, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "de")
    client = create_app([iris]).test_client()
    row = {feature.name: feature.default for feature in iris.spec.features}
    problem = client.post("/iris-wizard", json={**row, "petal_length_cm": 99}).get_json()
    assert "must be above 0" in problem["errors"][0]["message"]
    answer = client.post("/iris-wizard?details=1", json={**row, "petal_length_cm": 25}).get_json()
    assert "was trained on" in answer["warnings"][0]["message"]
    result = run_irislib("predict", "petal_length_cm=99", IRISLIB_LANGUAGE="de")
    assert "must be above 0" in result.stderr
