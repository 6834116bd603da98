"""The parts of an app beside other widgets: the form, and what a tab shows."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pytest
from conftest import PLANTED
from invalid_inputs import GOOD

from irislib import Feature, insights
from irislib.errors import Problem, SpecError, ValidationError
from irislib.widgets import Content, Form, Page

FIELDS = [
    Feature("size", low=0, high=10, unit="cm"),
    Feature("note", kind="text", required=False),
    Feature("agreed", kind="boolean", control="checkbox"),
    Feature("secret", kind="password"),
]


@pytest.fixture
def form(iris: Any) -> Form:
    return Form(iris.spec.features)


@pytest.fixture
def rows(form: Form) -> list[Any]:
    """What observers of the form's value are told."""
    rows: list[Any] = []
    form.observe(lambda change: rows.append(change.new), "value")
    return rows


def enter(form: Form, **texts: str) -> None:
    """Change fields as the page's script does."""
    form.set_state({"entries": {**form.entries, **texts}})


def press(form: Form, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    reply = form.reply({"id": object(), "method": "submit", "values": values, **more}, more.pop("buffers", ()))
    return {name: value for name, value in reply.items() if name != "id"}


def test_the_value_follows_the_fields_and_is_none_while_one_is_wrong(form, rows) -> None:
    enter(form, petal_length_cm="6", petal_width_cm="2.5")
    enter(form, petal_width_cm="250")
    assert form.problems == {"petal_width_cm": "Petal width must be above 0 and at most 30 cm, got 250."}
    enter(form, petal_width_cm="")
    assert [*form.problems] == ["petal_width_cm"]
    enter(form, petal_width_cm="2.5", sepal_length_cm="6.3")
    assert form.problems == {}
    assert [row and (row["petal_length_cm"], row["petal_width_cm"]) for row in rows] == [(6, 2.5), None, (6, 2.5)]


def test_an_assigned_row_fills_the_form(form, rows) -> None:
    form.value = {**GOOD, "petal_width_cm": "2.5"}
    assert form.entries == {name: f"{value:g}" for name, value in GOOD.items()}
    assert rows == [GOOD]
    with pytest.raises(ValidationError, match="petal_width_cm must be above 0"):
        form.value = {**GOOD, "petal_width_cm": 250}
    assert form.value == GOOD
    defaults = Form([*form.features.values()]).entries
    form.reset()
    assert form.entries == defaults
    assert Form([*form.features.values()], value=GOOD).value == GOOD


def test_a_visitor_can_send_anything(form) -> None:
    for entries in ({"unknown": "1"}, {**GOOD, "petal_length_cm": [1]}, {"petal_length_cm": {"a": 1}}, {}):
        form.set_state({"entries": entries})
        assert form.value is None
        assert form.problems
    form.set_state({"value": GOOD, "problems": {}})
    assert form.value is None  # only what was checked is in it
    assert "error" in form.reply({"id": 1, "values": None})
    assert "error" in form.reply("nonsense")


def test_a_field_that_is_filled_in_by_half_makes_the_row_invalid(form) -> None:
    form.set_state({"entries": {name: text for name, text in form.entries.items() if name != "petal_length_cm"}})
    assert form.value is None
    assert form.problems == {"petal_length_cm": "Petal length is only partly filled in."}


@pytest.mark.filterwarnings("ignore:.ipykernel.pylab.backend_inline. is deprecated")  # ipywidgets uses it
def test_it_works_with_interactive_output_and_in_boxes(form) -> None:
    shown = []
    slider = ipywidgets.IntSlider(3)
    ipywidgets.interactive_output(lambda row, n: shown.append((row, n)), {"row": form, "n": slider})
    form.value = GOOD
    slider.value = 4
    assert shown[1:] == [(GOOD, 3), (GOOD, 4)]
    assert ipywidgets.HBox([form, slider]).children[0] is form


def test_the_button_sends_private_values_once_and_they_are_in_no_trait() -> None:
    form, sent = Form(FIELDS, action="Send"), []
    form.on_submit(sent.append)
    texts = {"size": "3", "note": "", "agreed": "true", "secret": PLANTED}
    request = {"id": 1, "values": texts}
    assert form.reply(request) == form.reply(request) == {"id": 1}  # repeated after a lost connection
    assert sent == [{"size": 3.0, "agreed": True, "secret": PLANTED}]
    assert PLANTED not in str(form.get_state())
    assert press(form, {**texts, "size": "30"})["problems"] == {
        "size": "Size must be at least 0 and at most 10 cm, got 30."
    }
    assert "Secret" in press(form, {**texts, "secret": ""})["problems"]["secret"]
    form.on_submit(sent.append, remove=True)
    press(form, texts)
    assert len(sent) == 1


def test_a_function_that_refuses_or_fails_is_a_sentence(capfd) -> None:
    form = Form(FIELDS[:1], action="Send")

    def refuse(row: dict[str, Any]) -> None:
        raise ValidationError([Problem("size must be even.", "size")])

    form.on_submit(refuse)
    assert press(form, {"size": "3"})["problems"] == {"size": "Size must be even."}
    form.on_submit(refuse, remove=True)
    form.on_submit(lambda row: 1 / 0)
    assert "report this reference" in press(form, {"size": "3"})["error"]
    form.observe(lambda change: change.new["nothing"], "value")
    enter(form, size="4")
    assert "report this reference" in form.problems[""]
    assert capfd.readouterr().err.count("reference ") == 2


def test_features_that_make_no_form_are_refused() -> None:
    for features in ([FIELDS[0], FIELDS[0]], ["size"], 5):
        with pytest.raises(SpecError, match="The form needs a correction"):
            Form(features)
    with pytest.raises(SpecError, match="tabs: give a list of Tab"):
        Page("Savings", FIELDS, "Save", print, [print])


def test_content_follows_a_form(iris, form) -> None:
    content = Content("At first.", insights.confusion_matrix(iris))
    assert "At first." in content.html
    assert "data:image/svg+xml" in content.html
    content.follow(form, lambda row: [str(iris.predict_row(row)), insights.what_if(iris, row)], "Please fill it in.")
    form.value = GOOD
    assert "Species: virginica" in content.html
    assert content.html.count("<img") == 4  # a view that needs a script is drawn
    enter(form, petal_width_cm="")
    assert content.html == "<p>Please fill it in.</p>"
    with pytest.raises(TypeError, match="not int"):
        content.show(1)


def test_what_fails_to_draw_is_a_sentence(form, capfd) -> None:
    content = Content()
    content.follow(form, lambda row: [1 / 0])
    assert "report this reference" in content.html
    assert "ZeroDivisionError" in capfd.readouterr().err
