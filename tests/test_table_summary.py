"""What the page says about a whole predicted table: the answers, how sure they are, warnings, and the true column."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pandas as pd
from test_widgets import request

import irislib
from irislib.widgets import Page

UPLOADS = itertools.count(1)


def predict(page: Page, frame: pd.DataFrame) -> tuple[str, list[Any]]:
    """Predict a table as the page's script does; return what it shows, and the insights of its cards."""
    upload = next(UPLOADS)
    request(page, "begin_csv", upload=upload, name="rows.csv")
    request(page, "append_csv", (frame.to_csv(index=False).encode(),), upload=upload)
    assert request(page, "read_csv", upload=upload)["total"] == len(frame)
    request(page, "predict_csv", upload=upload, start=0)
    html = request(page, "finish_csv", upload=upload)["html"]
    assert page.csv_tab
    return html, [card.insight for card in page.csv_tab.cards]


def test_classes_are_counted_and_compared_with_the_true_ones(iris) -> None:
    rows = iris.spec.load_data().sample(150, random_state=1)
    page = irislib.app(iris)
    html, (answers, certainty, compared) = predict(
        page, rows.assign(Species=rows["species"].str.upper()).drop(columns="species")
    )
    inputs = rows[iris.spec.feature_names]
    predicted = pd.Series(iris.predict(inputs))
    assert dict(answers.frame.itertuples(index=False)) == predicted.value_counts().to_dict()
    shares = pd.DataFrame(iris.predict_proba(inputs)).max(axis=1)
    assert certainty.text.startswith(f"Rows without a class of at least 80%: {(shares < 0.8).sum()} (")
    right = int((predicted.to_numpy() == rows["species"].to_numpy()).sum())
    assert f"{right} of 150 rows are right" in compared.text
    assert compared.frame.to_numpy().trace() == right
    assert compared.frame.to_numpy().sum() == 150
    for insight in (answers, certainty, compared):
        insight.plot()
    assert html.count("data-card=") == 3
    assert "data-sortable" in html


def test_numbers_are_described_and_compared_with_the_true_ones(rent) -> None:
    rows = rent.spec.load_data().head(60)
    _, (answers, compared) = predict(irislib.app(rent), rows)
    predicted = rent.predict(rows[rent.spec.feature_names])
    assert f"at most {pd.Series(predicted).median():.3g} EUR" in answers.text
    errors = abs(predicted - rows["rent"])
    assert f"are off by {errors.mean():.3g} EUR" in compared.text
    compared.plot()


def test_rows_with_a_warning_are_counted_and_marked(iris) -> None:
    rows = iris.spec.load_data().head(30).drop(columns="species")
    rows.loc[3, "petal_length_cm"] = 25
    html, _ = predict(irislib.app(iris), rows)
    assert "values unlike the training data: 1." in html
    assert html.count("⚠") == 1


def test_the_first_hundred_rows_are_on_the_page_and_all_in_the_result(iris) -> None:
    rows = iris.spec.load_data().drop(columns="species")
    page = irislib.app(iris)
    html, _ = predict(page, pd.concat([rows] * 3))
    assert html.partition("data-sortable")[2].count("<tr>") == 101
    assert page.csv_tab
    _, content = page.csv_tab.result_file()
    assert len(pd.read_csv(io.BytesIO(content))) == 450


def test_one_row_is_nothing_to_count(iris) -> None:
    _, insights = predict(irislib.app(iris), iris.spec.load_data().head(1))
    assert insights == []
