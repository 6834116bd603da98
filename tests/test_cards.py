"""What a card of an insight offers: its numbers, its files, and the exact values of its chart."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from invalid_inputs import GOOD
from test_widgets import download, request, submit

import irislib
from irislib import insights
from irislib._common.messages import TEXTS
from irislib.insights import Insight
from irislib.widgets import Page
from irislib.widgets._cards import insight_file
from irislib.widgets._chart_points import chart_points

NAME = re.compile(r'data-card="([^"]+)"')
PERFORMANCE = 3  # the tab


@pytest.fixture(scope="module")
def page(iris) -> Page:
    insights.permutation_importance(iris)
    return irislib.app(iris)


def test_numbers_come_when_they_are_asked_for(page, iris) -> None:
    html = request(page, "draw", tab=PERFORMANCE)["html"]
    assert "<table" not in html
    name = NAME.findall(html)[0]
    cells = re.findall(r"<td[^>]*>(\d+)</td>", request(page, "numbers", name=name)["html"])
    assert [int(cell) for cell in cells] == insights.confusion_matrix(iris).frame.to_numpy().ravel().tolist()


def test_every_insight_can_be_saved(page, iris) -> None:
    submit(page, GOOD)
    for tab in range(1, PERFORMANCE + 1):
        html = request(page, "draw", tab=tab)["html"]
        for name in NAME.findall(html):
            file, content = download(page, f"png:{name}")
            assert (file[-4:], content[:4]) == (".png", b"\x89PNG")
            file, content = download(page, f"svg:{name}")
            assert file.endswith(".svg")
            assert b"<svg" in content
            file, content = download(page, f"csv:{name}")
            assert file.endswith(".csv")
            insight = page.cards.find(name).insight
            assert len(pd.read_csv(io.BytesIO(content))) == len(insight.frame)


def test_a_saved_table_runs_no_formula(iris) -> None:
    frame = pd.DataFrame({"name": ["=1+1", "plain"], "value": [-1.5, 2]})
    _, content = insight_file(replace(insights.class_metrics(iris), frame=frame), "csv")
    assert content.decode("utf-8-sig").splitlines() == ["name,value", "'=1+1,-1.5", "plain,2.0"]


def test_a_card_of_an_earlier_answer_is_gone(page) -> None:
    submit(page, GOOD)
    name = NAME.findall(request(page, "draw", tab=1)["html"])[0]
    submit(page, {**GOOD, "petal_width_cm": 1.5})
    request(page, "draw", tab=1)
    assert request(page, "numbers", name=name) == {"error": TEXTS["card_gone"]}
    assert request(page, "points", name=name) == {"points": []}
    assert request(page, "download", file=f"png:{name}", part=0) == {"error": TEXTS["file_gone"]}


def points_of(insight: Insight) -> list[str]:
    points = [point for panel in insight.panels() for point in chart_points(panel.plot())]
    assert all(-0.01 <= x <= 1.01 and -0.01 <= y <= 1.01 for x, y, _ in points)
    return [text for *_, text in points]


def test_a_chart_tells_its_exact_values(iris, rent) -> None:
    matrix = insights.confusion_matrix(iris)
    texts = points_of(matrix)
    assert len(texts) == 9
    assert f"true species: setosa, predicted species: setosa: {matrix.frame.iloc[0, 0]}, 100%" in texts
    recall = insights.class_metrics(iris).frame["recall"]
    assert any(
        "virginica" in text and f"{recall[2]:.4g}" in text and "recall" in text
        for text in points_of(insights.class_metrics(iris))
    )
    importances = insights.feature_importances(iris)
    assert any(
        importances.frame["feature"][0] in text and f"{importances.frame.iloc[0, 1]:.4g}" in text
        for text in points_of(importances)
    )
    assert any("centre" in text for text in points_of(insights.partial_dependence(rent)))
    predicted = insights.predicted_against_true(rent)
    assert any(f"{predicted.frame.iloc[0, 0]:.4g}" in text for text in points_of(predicted))


def test_categories_are_points_and_never_a_line(rent) -> None:
    charts = [panel.plot().axes[0] for panel in insights.partial_dependence(rent).panels()]
    categories = [axes for axes in charts if any(label.get_text() == "centre" for label in axes.get_yticklabels())]
    assert len(categories) == 1
    assert all(line.get_linestyle() == "None" for line in categories[0].lines)
