"""Insights as objects: charts in given axes, pickles, notebooks; and their options and tabs at the endpoint."""

from __future__ import annotations

import enum
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression

import irislib
from irislib import insights
from irislib._common.theme import AUBERGINE, ORANGE, chart_colours
from irislib.api import _insights
from irislib.insights import Insight, _registry

ROW = {"petal_length_cm": 5.1, "petal_width_cm": 1.9, "sepal_length_cm": 5.8, "sepal_width_cm": 2.7}


def every_insight(model):
    functions = [function for tab in insights.default_tabs(model).values() for function in tab]
    return [
        function(model, ROW) if _registry.needs_row(function) else function(model)
        for function in functions
        if function not in (insights.cross_validation, insights.learning_curve)
    ]


def test_insights_can_be_pickled(iris):
    for insight in every_insight(iris):
        copy = pickle.loads(pickle.dumps(insight))  # noqa: S301 - just made here
        assert copy.text == insight.text
        pd.testing.assert_frame_equal(copy.frame, insight.frame)
        assert len(copy.plot().axes) == len(insight.plot().axes)


def test_an_insight_is_drawn_into_the_axes_that_it_gets(iris):
    figure = Figure()
    other_axes, axes = figure.subplots(1, 2)
    assert insights.confusion_matrix(iris).plot(ax=axes) is figure
    assert axes.get_xlabel() == "predicted species"
    assert not other_axes.has_data()


def test_what_is_drawn_without_a_colour_has_those_of_the_theme():
    insight = Insight("Mine", pd.DataFrame(), "", lambda axes: (axes.bar([0], [1]), axes.plot([0, 1]), axes.plot([1])))
    for theme, colours in ((None, [AUBERGINE, AUBERGINE, ORANGE]), ("#0b5fa5", ["#0b5fa5", "#0b5fa5", ORANGE])):
        with chart_colours(theme):
            (axes,) = insight.plot().axes
        drawn = [axes.patches[0].get_facecolor(), *(line.get_color() for line in axes.lines)]
        assert [to_hex(colour) for colour in drawn] == colours


def test_an_insight_of_several_panels_takes_one_axes_or_as_many(iris):
    insight = insights.partial_dependence(iris)
    axes = Figure().subplots(4)
    insight.plot(ax=axes)
    assert all(panel.lines for panel in axes)
    one = Figure().subplots()
    insight.plot(ax=one)
    assert len(one.child_axes) == 4
    with pytest.raises(ValueError, match="a sequence of 4, one for each panel, got 3"):
        insight.plot(ax=axes[:3])


def test_a_notebook_shows_title_sentence_chart_and_table_escaped():
    insight = Insight("<b>", pd.DataFrame({"<i>": ["<u>"]}), "<s>", lambda axes: None)
    html = insight._repr_html_()
    assert "<h3>&lt;b&gt;</h3><p>&lt;s&gt;</p>" in html
    assert "data:image/svg+xml;base64," in html
    assert "&lt;i&gt;" in html
    assert "&lt;u&gt;" in html


def test_a_notebook_shows_a_card_as_markdown(iris):
    card = irislib.card(iris)
    assert isinstance(card, str)
    assert card._repr_markdown_() == card


def test_dir_lists_public_names():
    assert sorted(dir(insights)) == sorted(insights.__all__)


SHARE, COUNT = np.float64(0.9), np.int64(3)


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


def test_numpy_and_enum_defaults_of_options_become_json(iris):
    def custom(model, share=SHARE, count=COUNT, size=Size.SMALL):
        return Insight("t", pd.DataFrame({"x": [share * count]}), f"{type(size).__name__} {size.value}", lambda axes: 0)

    model = replace(iris, spec=replace(iris.spec, tabs={"Mine": [custom]}))
    path = _insights.paths(model, secured=False, row={})[f"/{model.spec.name}/insights/custom"]
    share, count, size = (parameter["schema"] for parameter in path["get"]["parameters"])
    assert share == {"type": "number", "default": 0.9}
    assert type(share["default"]) is float
    assert count == {"type": "integer", "default": 3}
    assert type(count["default"]) is int
    assert size == {"enum": ["small", "large"], "default": "small"}
    arguments = _insights.MultiDict({"share": "0.5", "count": "4", "size": "large"})
    assert _insights.about_model(model, "custom", arguments) == {"title": "t", "text": "Size large", "rows": [{"x": 2}]}
    with pytest.raises(irislib.errors.ValidationError, match="size must be one of small, large, got 'medium'"):
        _insights.about_model(model, "custom", _insights.MultiDict({"size": "medium"}))


def test_a_tab_titled_like_that_of_the_prediction_keeps_its_insights(iris):
    model = replace(iris, spec=replace(iris.spec, tabs={"Prediction": [insights.confusion_matrix]}))
    assert [entry["name"] for entry in _insights.listed(model)] == ["confusion_matrix", "prediction_set"]


@pytest.mark.parametrize("target", ["ozone_ppb", "Ozone (ppb)", "ozone [ppb]", "ozone"])
def test_a_unit_in_the_name_of_the_target_is_not_written_twice(target):
    data = pd.DataFrame({"wind": range(20), target: range(0, 40, 2)})
    features = [irislib.Feature("wind")]
    spec = irislib.ModelSpec("air", features, target, lambda: data, LinearRegression(), target_unit="ppb")
    assert spec.target_label == "Ozone"
    name = insights.predicted_against_true(irislib.train(spec)).frame.columns[0]
    assert name == (f"true {target}" if target.endswith("(ppb)") else f"true {target} (ppb)")
