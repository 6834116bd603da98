"""Insights as objects: charts in given axes, pickles, notebooks; and their options and tabs at the endpoint."""

from __future__ import annotations

import enum
import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression, LogisticRegression

import irislib
from irislib import insights
from irislib._common.language import using_language
from irislib._common.theme import AUBERGINE, ORANGE, chart_colours
from irislib.api import _insights
from irislib.insights import Insight, _drawing, _registry

ROW = {"petal_length_cm": 5.1, "petal_width_cm": 1.9, "sepal_length_cm": 5.8, "sepal_width_cm": 2.7}


def every_insight(model, row=ROW):
    functions = [function for tab in insights.default_tabs(model).values() for function in tab]
    return [
        function(model, row) if _registry.needs_row(function) else function(model)
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


def cars(target):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"No_of_Cylinders": rng.integers(3, 6, 60), "Weight_of_Car": rng.normal(1200, 200, 60)})
    data["Miles_per_Gallon"] = data["Weight_of_Car"] / 40 + data["No_of_Cylinders"]
    data["Is_of_Use"] = np.where(data["Miles_per_Gallon"] > 34, "yes", "no")
    features = [
        irislib.Feature("cylinders", kind="integer", column="No_of_Cylinders", label="Cylinders"),
        irislib.Feature("weight", column="Weight_of_Car", label="Weight", unit="kg"),
    ]
    estimator, label, unit = LinearRegression(), "Fuel economy", "mpg"
    if target == "Is_of_Use":
        estimator, label, unit = LogisticRegression(), "Verdict", ""
    spec = irislib.ModelSpec("cars", features, target, lambda: data, estimator, target_label=label, target_unit=unit)
    return irislib.train(spec), {"cylinders": 4, "weight": 1300}


def written(axis):
    low, high = sorted(axis.get_view_interval())
    ticks = [tick.label1.get_text() for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [axis.label.get_text(), *ticks]


@pytest.mark.parametrize("target", ["Miles_per_Gallon", "Is_of_Use"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_axes_have_the_labels_of_target_and_features(target, language):
    with using_language(language):
        model, row = cars(target)
        texts = set()
        for insight in every_insight(model, row):
            figure = insight.plot()
            figure.draw_without_rendering()
            texts |= {text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for text in written(axis)}
    assert [text for text in texts if any(name in text for name in ("_per_", "_of_"))] == []
    labels = {
        ("Miles_per_Gallon", "en"): {"Fuel economy (mpg)", "true fuel economy (mpg)", "predicted fuel economy (mpg)"},
        ("Miles_per_Gallon", "de"): {"Fuel economy (mpg)"},
        ("Is_of_Use", "en"): {"true verdict", "predicted verdict"},
        ("Is_of_Use", "de"): set(),
    }
    assert texts >= labels[target, language] | {"Cylinders", "Weight (kg)"}


def test_axes_of_whole_numbers_and_of_counts_have_whole_ticks():
    model, row = cars("Miles_per_Gallon")
    table = pd.DataFrame({"rows": [1, 2, 3], "seen": 0.1, "unseen": 0.2, "spread": 0.1})
    spreads = {"seen": "spread", "unseen": "spread"}
    charts = {
        "rows": partial(_drawing.bars, frame=table, names="seen", values="rows"),
        "of training": partial(_drawing.curves_with_spread, frame=table, x="rows", y=spreads, name="R²"),
        "of test": partial(_drawing.histogram, values=np.arange(3), name="x", count="rows"),
    }
    drawn = [Insight("", table, "", draw) for draw in charts.values()]
    drawn += [insights.prediction_set(model, row), insights.partial_dependence(model)]
    axes = [axis for insight in drawn for axes in insight.plot().axes for axis in (axes.xaxis, axes.yaxis)]
    whole = [axis for axis in axes if axis.label.get_text() in ("rows", "test rows", "Cylinders")]
    assert len(whole) == 5
    for axis in whole:
        low, high = axis.get_view_interval()
        ticks = [x for x in axis.get_majorticklocs() if low <= x <= high]
        assert ticks
        assert all(x == round(x) for x in ticks), (axis.label.get_text(), ticks)
