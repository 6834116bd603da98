"""What authors of apps write, in another language than they wrote it: labels, units, titles, footers, tabs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from test_table_summary import predict
from test_widgets import request

import irislib
from irislib import Theme, dummy, insights
from irislib._common.language import VARIABLE
from irislib._common.messages.insights import TEXTS
from irislib._description.translation import translated
from irislib._serving.app_entries import AppEntry
from irislib.errors import SpecError


@pytest.fixture
def german(monkeypatch):
    monkeypatch.setenv(VARIABLE, "de")


def titles_of_columns(html: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', html)


def numbers(page: Any, insight: Any) -> str:
    """Return the table of an insight that the page shows."""
    title = TEXTS[f"{insight.__name__}.title"]
    card = next(block for blocks in page.contents.values() for block in blocks if block.title == title)
    return str(request(page, "numbers", name=card.name)["html"])


def with_texts(model: Any, texts: dict[str, str], **changes: Any) -> Any:
    return replace(model, spec=replace(model.spec, translations={"de": texts}, **changes))


def test_columns_about_the_target_have_its_label(iris, german) -> None:
    rows = iris.spec.load_data().groupby("species").head(10)
    html, cards = predict(irislib.app(iris), rows.assign(rows=1))
    titles = titles_of_columns(html)
    assert {"Art", "Art, vorhergesagt", "Wahrscheinlichkeit von setosa", "Warnungen"} <= {*titles}
    assert "rows" in titles  # a column of the visitor's
    assert list(cards[0].frame) == ["species", "Zeilen"]
    page = irislib.app(iris)
    request(page, "draw", tab=3)
    assert "Art, wahr" in numbers(page, insights.confusion_matrix)


def test_an_insight_in_a_notebook_has_german_columns_and_numbers(iris, german) -> None:
    html = insights.class_probabilities(iris, iris.predict_row(iris.evaluation.features.head(1)))._repr_html_()
    assert "<th>Wahrscheinlichkeit</th>" in html
    assert re.search(r"<td>\d,\d+</td>", html)
    assert "wahr" in insights.confusion_matrix(iris)._repr_html_()


def test_a_model_in_a_notebook_is_described_in_german(iris, german) -> None:
    html = iris._repr_html_()
    assert "Sagt voraus: Art: setosa, versicolor, virginica." in html
    assert "Länge des Blütenblatts" in html
    assert "Pflichtfeld" in html
    assert "test rows" not in html


def test_units_that_are_words_have_translations(rent, german) -> None:
    spec = replace(rent.spec, target_unit="euros", translations={"de": {"m²": "Quadratmeter", "euros": "Euro"}})
    german_spec = translated(spec, "de")
    area = german_spec.features[0]
    assert (area.unit, german_spec.target_unit) == ("Quadratmeter", "Euro")
    assert area.limits.endswith("Quadratmeter")
    assert area.parse("50 Quadratmeter") == area.parse("50 m²") == 50
    assert spec.digests == rent.spec.digests
    page = irislib.app(replace(rent, spec=spec))
    assert page.facts["action"] == "Vorhersagen"
    predict(page, rent.spec.load_data().head(30))
    name = page.csv_tab.cards[0].name
    html = request(page, "numbers", name=name)["html"]
    assert titles_of_columns(html) == ["Kennzahl", "Rent (Euro)"]
    assert '<th scope="row">Zeilen</th><td class="irislib-number">30</td>' in html


def test_true_values_may_have_the_authors_label_and_unit(rent, german) -> None:
    texts = {"Price": "Preis", "euros": "Euro"}
    page = irislib.app(with_texts(rent, texts, target_label="Price", target_unit="euros"))
    rows = rent.spec.load_data().head(4)
    for name, units in (("Price", [" euros"] * 4), ("Preis", ["", " Euro", " euros", ""])):
        values = [f"{value:.0f}{unit}" for value, unit in zip(rows["rent"], units, strict=True)]
        predict(page, rows.drop(columns="rent").assign(**{name: values}))
        assert len(page.csv_tab.table.truth) == 4


def test_a_translated_footer_is_shown_and_its_links_are_checked(iris, german) -> None:
    theme = Theme(footer="Questions? [Ask us](mailto:us@example.org)")
    page = irislib.app(with_texts(iris, {theme.footer: "Fragen? [Hier](mailto:us@example.org)"}, theme=theme))
    assert page.facts["footer"] == [[("Fragen? ", ""), ("Hier", "mailto:us@example.org")]]
    with pytest.raises(SpecError, match="translations: footer: a link begins with"):
        with_texts(iris, {theme.footer: "Fragen? [Hier](javascript:1)"}, theme=theme)


def test_an_app_has_a_title_in_each_language(iris) -> None:
    spec = with_texts(iris, {"Iris Wizard": "Irisorakel"}).spec
    assert AppEntry("iris-wizard", "Iris Wizard", spec).titles == {"en": "Iris Wizard", "de": "Irisorakel"}
    assert AppEntry("notes", "Notes").titles == {"en": "Notes", "de": "Notes"}


@pytest.mark.parametrize("texts", [{}, {"Performance": "Leistung", "Mine": "Meins"}], ids=["standard", "own"])
def test_the_tab_about_performance_is_known_by_its_authors_title(iris, german, texts: dict[str, str]) -> None:
    tabs = {"Mine": [insights.roc_curve], "Performance": [insights.class_metrics]}
    page = irislib.app(with_texts(iris, texts, tabs=tabs))
    own = ["Meins", "Leistung"] if texts else ["Mine", "Güte"]
    assert [tab["title"] for tab in page.facts["tabs"]] == ["Vorhersage", *own, "Tabelle"]
    predict(page, iris.spec.load_data().groupby("species").head(10))
    (job,) = (job for name, job in page.jobs.jobs.items() if name == "table-performance")
    while not page.jobs.handle_step({"name": job.name, "begin": job.name not in page.jobs.running}).get("html"):
        pass
    cards = [block.insight.title for block in job.blocks if hasattr(block, "insight")]
    assert cards == [insights.class_metrics(iris).title]


def test_the_dummy_is_german_but_its_values_are_not(german) -> None:
    page = dummy.app()
    fields = {text for field in page.facts["fields"] for text in (field["label"], field.get("help")) if text}
    fields |= {page.facts["action"], page.tabs[0].empty, *(tab["title"] for tab in page.facts["tabs"])}
    english = {text for feature in dummy.FEATURES for text in (feature.label, feature.help) if text}
    assert fields & (english | dummy.TRANSLATIONS["de"].keys()) == {"Text"}  # is German, too
    html = request(page, "submit", values={"list": "two", "number": "4.5"})["html"]
    assert titles_of_columns(html) == ["Eingabe", "Wert"]
    assert "<td>Auswahlliste</td><td>two</td>" in html
    assert page.history.entries[0].prediction == "2 Einträge"


def test_an_insight_is_in_the_language_of_the_moment(iris, monkeypatch) -> None:
    row = iris.evaluation.features.head(1)
    english = insights.prediction_set(iris, row).text
    assert irislib.current_language() == "en"
    monkeypatch.setenv(VARIABLE, "de")
    assert irislib.current_language() == "de"
    german = insights.prediction_set(iris, row).text
    assert not {*english.split()} & {"Zeilen", "Testzeilen"}
    assert not {*german.split()} & {"the", "of", "rows"}
