"""The app by the state its widgets send; the page itself is tested in a browser."""

from __future__ import annotations

import datetime as dt
import inspect
from html import unescape

import ipywidgets
import pandas as pd
import pytest
from cases import GOOD, TYPED, Case
from conftest import PLANTED

import irislib
from irislib import dummy
from irislib.errors import Problem
from irislib.feature import Feature
from irislib.insights import Insight
from irislib.kinds import KINDS
from irislib.widgets import Page, Tab, fields, form, showing


def text(widget) -> str:
    """All that a widget and its children show."""
    own = [str(getattr(widget, name, "")) for name in ("value", "description")]
    return unescape(" ".join([*own, *(text(child) for child in getattr(widget, "children", ()))]))


def enter(page: Page, values: dict) -> None:
    for name, value in values.items():
        page.form.fields[name].fill(value)
    page.form.button.click()


def test_the_form_is_made_from_the_features(iris) -> None:
    page = irislib.app(iris)
    for feature in iris.spec.features:
        field = page.form.fields[feature.name]
        assert field.control.description == f"{feature.label} (cm) *"
        assert field.control.value == f"{feature.default:g}"
        assert "Above 0 and at most 30 cm." in text(field)
    assert page.form.button.description == "Abrakadabra"
    assert page.stack.titles == ("Prediction", "Insights", "Performance")
    assert "press Abrakadabra" in text(page.panes[0])


def test_a_click_answers_and_charts_wait_until_their_tab_is_opened(iris) -> None:
    page = irislib.app(iris)
    enter(page, GOOD)
    assert "virginica" in text(page.panes[0])
    assert text(page.panes[1]).strip() == text(page.panes[2]).strip() == ""
    page.stack.selected_index = 1
    drawn = page.panes[1].children
    assert "Petal width" in text(page.panes[1])
    page.stack.selected_index = 0
    page.stack.selected_index = 1
    assert page.panes[1].children is drawn  # drawn once
    page.stack.selected_index = 2
    assert "29 of 30 held-out rows" in text(page.panes[2])


@pytest.mark.parametrize("case", TYPED, ids=lambda case: str(case.changes)[:40])
def test_bad_input_is_told_beside_its_field(case: Case, iris) -> None:
    page = irislib.app(iris)
    enter(page, case.row)
    labels = {feature.name: feature.label for feature in iris.spec.features}
    for name, field in page.form.fields.items():
        message = case.messages.get(name, "")
        assert text(field.note).strip() == (
            f'<span class="irislib-message" role="alert">{labels[name]}{message[len(name) :]}</span>' if message else ""
        )
    assert page.result is None
    enter(page, GOOD)
    enter(page, case.row)
    assert "virginica" not in text(page.panes[0])  # the old answer is not one to what the form holds now
    enter(page, GOOD)
    assert all(not text(field.note).strip() for field in page.form.fields.values())


def test_a_regression_gets_the_same_page(rent) -> None:
    page = irislib.app(rent)
    enter(page, {"area_m2": "40", "balcony": True, "district": "hill"})
    assert "Built on is missing" in text(page.form)
    page.form.fields["built"].control.value = dt.date(1999, 1, 2)
    page.form.button.click()
    assert "EUR" in text(page.panes[0])
    for i, words in ((1, "shufflings"), (2, "off by")):
        page.stack.selected_index = i
        assert words in text(page.panes[i])


def test_defaults_fill_their_controls_and_what_is_optional_can_be_left_empty() -> None:
    features = [
        Feature("a", "integer", control="slider", low=0, high=9, default=4),
        Feature("b", "boolean", default="no"),
        Feature("c", "boolean", required=False),
        Feature("d", "date", default="2020-01-02"),
        Feature("e", "choice", choices=[1, 2], default="1"),
        Feature("f", "choice", choices=["x", "y"], required=False),
        Feature("g", default=1.5),
    ]
    page = Page("Defaults", features, "Go", dict, [Tab("Out", lambda _: [])])
    expected = {"a": 4, "b": False, "d": dt.date(2020, 1, 2), "e": 1, "g": "1.5"}
    assert page.form.values() == expected
    page.form.fields["c"].control.value = False
    assert page.form.values()["c"] is False


def test_a_warning_is_shown_with_the_answer(iris) -> None:
    page = irislib.app(iris)
    enter(page, dict.fromkeys(iris.spec.feature_names, 1))
    assert "Sepal length is 1, but the model was trained on" in text(page.panes[0])


def test_a_failing_callback_shows_a_sentence_and_logs_the_traceback(capfd) -> None:
    def fail(_: dict) -> None:
        raise RuntimeError("the secret of the pyramid")

    page = Page("Faulty", [Feature("a")], "Go", fail, [Tab("Out", lambda _: [], "empty")])
    enter(page, {"a": 1})
    shown = text(page)
    assert "Something went wrong on our side" in shown
    assert "pyramid" not in shown
    reference = shown.partition("this reference: ")[2].partition(".")[0]
    logged = capfd.readouterr().err
    assert f"reference {reference}:" in logged
    assert "RuntimeError: the secret of the pyramid" in logged
    assert not page.form.button.disabled


def test_the_dummy_has_every_kind_of_input() -> None:
    assert {feature.kind for feature in dummy.FEATURES} >= set(KINDS)
    assert {(feature.kind, feature.control) for feature in dummy.FEATURES} <= set(fields.CONTROLS)
    slider = dummy.app().form.fields["slider"].control
    assert (slider.min, slider.max, slider.step) == (0, 10, 2)


def test_every_kind_and_control_has_a_widget() -> None:
    assert set(fields.CONTROLS) == {(name, control) for name, kind in KINDS.items() for control in kind.controls}


def test_the_dummy_echoes_what_was_entered_and_nothing_else() -> None:
    page = dummy.app()
    enter(page, {"text": "<b>bold</b>", "number": "4.5", "checkbox": True, "radio": "left", "list": "two"})
    shown = page.panes[0].children[0].value
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    for words in ("4.5", "yes", "left", "two"):
        assert f"<td>{words}</td>" in shown
    for label in ("Comment", "E-mail", "Password", "Date"):
        assert label not in shown


@pytest.mark.parametrize("other", [{}, {"number": "wrong"}])
def test_a_password_is_gone_once_submit_is_handled(other: dict, capfd) -> None:
    page = dummy.app()
    enter(page, {"password": PLANTED, **other})
    assert page.form.fields["password"].control.value == ""
    states = [widget.get_state() for widget in ipywidgets.widgets.widget._instances.values()]
    assert PLANTED not in repr(states) + repr(page.result) + "".join(capfd.readouterr())
    if not other:
        assert "<td>Password</td>" in page.panes[0].children[0].value
        assert "(entered)" in page.panes[0].children[0].value


def test_whatever_is_shown_is_escaped() -> None:
    odd = "<img src=x onerror=alert(1)>"
    insight = Insight(odd, pd.DataFrame({odd: [odd]}), odd, lambda axes: None)
    problem = Problem(odd, odd)
    field = fields.Field(Feature("a", help=odd))
    field.show(problem)
    for widget in (showing.heading(odd), showing.paragraph(odd), showing.insight(insight), field):
        html = " ".join(str(getattr(part, "value", "")) for part in (widget, *getattr(widget, "children", ())))
        assert "onerror" in html
        assert "<img src=x" not in html


def test_the_area_plot_has_ten_rows_of_four() -> None:
    from matplotlib.collections import PolyCollection

    axes = dummy.area_plot().axes[0]
    areas = [artist for artist in axes.collections if isinstance(artist, PolyCollection)]
    assert [area.get_label() for area in areas] == list("abcd")
    assert axes.get_xlim() == (0, 9)


@pytest.mark.parametrize("cls", [Page, form.Form, fields.Field])
def test_no_method_of_ours_hides_one_of_ipywidgets(cls: type) -> None:
    # a method named `open` once kept every page from ever connecting
    ours = {name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("__")}
    assert not ours & set(dir(ipywidgets.VBox))
