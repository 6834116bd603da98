"""What the page says about a whole predicted table: the answers, how sure they are, warnings, and the true column."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from test_widgets import request

import irislib
from irislib._common.language import using_language
from irislib.errors import DataError
from irislib.widgets import Page
from irislib.widgets._blocks import Card, Job
from irislib.widgets._csv_rows import first_rows, row_filters, row_orders

UPLOADS = itertools.count(1)


def predict(page: Page, frame: pd.DataFrame) -> tuple[str, list[Any]]:
    """Predict a table as the page's script does; return what it shows, and the insights of its cards."""
    upload = next(UPLOADS)
    request(page, "begin_csv", upload=upload, name="rows.csv")
    request(page, "append_csv", (frame.to_csv(index=False).encode(),), upload=upload)
    assert request(page, "read_csv", upload=upload)["total"] == len(frame)
    request(page, "predict_csv", upload=upload, start=0)
    reply = request(page, "finish_csv", upload=upload)
    assert page.csv_tab
    rows = reply.get("rows", {}).get("html", "")
    return reply["html"] + rows, [card.insight for card in page.csv_tab.cards if isinstance(card, Card)]


def shown(page: Page, filter: str, order: str = "") -> pd.DataFrame:
    """Return the rows that the page shows for a filter and an order."""
    assert page.csv_tab
    reply = request(page, "csv_rows", upload=page.csv_tab.upload, filter=filter, order=order)
    assert page.csv_tab.table
    sentence, block = first_rows(page.csv_tab.table, filter, order)
    frame = block.frame.reset_index()
    assert reply["announcement"] == sentence
    assert reply["html"].count("<tr>") == len(frame) + 1
    return frame


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
    page = irislib.app(iris)
    html, _ = predict(page, rows)
    assert "values unlike the training data: 1." in html
    reason = "petal_length_cm is 25, but the model was trained on 1 to 6.9 cm only."
    mark = f'<span title="{reason}"><span aria-hidden="true">⚠</span><span class="irislib-away">{reason}</span></span>'
    assert html.count(mark) == html.count("⚠") == 1
    assert [cell.html.striptags() for cell in shown(page, "warned")["warnings"]] == [reason]


def test_rows_that_could_not_be_predicted_are_a_choice_of_rows(iris) -> None:
    rows = iris.spec.load_data().head(30).drop(columns="species").astype(object)
    page = irislib.app(iris)
    predict(page, rows)
    assert "failed" not in dict(row_filters(page.csv_tab.table))
    rows.loc[[3, *range(9, 16)], "petal_length_cm"] = "x"
    html, _ = predict(page, rows)
    assert "… and 3 more: choose “✗ not predicted” below" in html
    assert dict(row_filters(page.csv_tab.table))["failed"] == "✗ not predicted (8)"
    failed = shown(page, "failed")
    assert failed["line"].tolist() == ["5", *map(str, range(11, 18))]
    assert {cell.html.striptags() for cell in failed["problem"]} == {"petal_length_cm must be a number, got 'x'."}
    assert set(failed["petal_length_cm"]) == {"x"}
    html, _ = predict(page, rows.loc[[3]])
    assert [key for key, _ in row_filters(page.csv_tab.table)] == ["failed"]
    assert html.count("must be a number, got &#39;x&#39;.") == 2  # above the rows, and beside its row


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_a_true_column_without_a_true_value_is_said(name: str, iris, rent) -> None:
    model = {"iris": iris, "rent": rent}[name]
    rows = model.spec.load_data().head(20)
    page = irislib.app(model)
    html, _ = predict(page, rows.assign(**{model.spec.target: "rose"}))
    reason = {
        "iris": "the column species has no class that the model knows (setosa, versicolor, virginica).",
        "rent": "the column rent has no number.",
    }[name]
    assert f"Nothing is compared: {reason}" in html
    assert "Nothing is compared" not in predict(page, rows.drop(columns=model.spec.target))[0]


def test_the_first_hundred_rows_are_on_the_page_and_all_in_the_result(iris) -> None:
    rows = iris.spec.load_data().drop(columns="species")
    page = irislib.app(iris)
    html, _ = predict(page, pd.concat([rows] * 3))
    assert html.partition("data-sortable")[2].count("<tr>") == 101
    assert page.csv_tab
    _, content = page.csv_tab.result_file()
    assert len(pd.read_csv(io.BytesIO(content))) == 450


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_file_may_have_any_column(language: str, iris) -> None:
    rows = iris.spec.load_data().head(20)[iris.spec.feature_names]
    own = {"line": "own line", "Zeile": "own Zeile", "part": "own part", "differs": "own answer", "in the set": "yes"}
    with using_language(language):
        html, _ = predict(irislib.app(iris), rows.assign(**own))
    assert "irislib-message" not in html
    assert {text: html.count(f"<td>{text}</td>") for text in own.values()} == dict.fromkeys(own.values(), 20)


def test_one_row_is_nothing_to_count(iris) -> None:
    _, insights = predict(irislib.app(iris), iris.spec.load_data().head(1))
    assert insights == []


def test_filters_and_orders_look_through_all_rows(iris) -> None:
    rows = pd.concat([iris.spec.load_data()] * 2, ignore_index=True)
    rows.loc[250, "petal_length_cm"] = 25
    rows.loc[7, "species"] = "virginica"
    page = irislib.app(iris)
    predict(page, rows)
    assert page.csv_tab
    table = page.csv_tab.table
    assert table
    filters, orders = dict(row_filters(table)), dict(row_orders(table))
    wrong = shown(page, "wrong")
    assert filters["wrong"] == f"✗ wrong answers ({len(wrong)})"
    assert set(wrong["right?"]) == {"✗\u00a0wrong"}
    assert (wrong["species"] != wrong["predicted_species"]).all()
    assert wrong["line"].astype(int).tolist()[0] == 9
    assert 252 in shown(page, "warned")["line"].astype(int).tolist()
    assert shown(page, "class setosa")["line"].astype(int).max() > 150
    assert filters["class setosa"].startswith("setosa (")
    assert len(shown(page, "")) == 100
    probabilities = shown(page, "", "unsure").filter(like="probability_")
    shares = probabilities.apply(lambda column: column.str.rstrip("%").astype(float)).max(axis=1)
    assert shares.is_monotonic_increasing
    assert list(orders) == ["", "unsure"]


def test_numbers_are_sorted_by_how_far_they_are_off(rent) -> None:
    rows = rent.spec.load_data().head(40)
    page = irislib.app(rent)
    predict(page, rows)
    off = abs(rent.predict(rows[rent.spec.feature_names]) - rows["rent"].to_numpy())
    assert shown(page, "", "furthest")["line"].tolist()[0] == str(off.argmax() + 2)
    highest, lowest = (shown(page, "", order)["predicted_rent"].tolist() for order in ("highest", "lowest"))
    assert (highest[0], highest[-1]) == (lowest[-1], lowest[0])


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_performance_is_shown_for_the_rows_of_the_file(name: str, iris, rent) -> None:
    model = {"iris": iris, "rent": rent}[name]
    rows = model.spec.load_data().sample(40, random_state=3)
    page = irislib.app(model)
    predict(page, rows)
    assert page.csv_tab
    (job,) = [card for card in page.csv_tab.cards if isinstance(card, Job)]
    reply = request(page, "step_job", name=job.name, begin=True)
    while "html" not in reply:
        reply = request(page, "step_job", name=job.name)
    assert "For 40 rows of this file" in reply["html"]
    cards = [block for block in job.blocks or [] if isinstance(block, Card)]
    inputs, true = rows[model.spec.feature_names], rows[model.spec.target]
    if name == "iris":
        metrics = next(card.insight.frame for card in cards if "recall" in card.insight.frame).set_index("class")
        found = [(model.predict(inputs[true == label]) == label).mean() for label in metrics.index]
        assert metrics["recall"].tolist() == pytest.approx(found)
    assert request(page, "numbers", name=cards[0].name)["html"]
    assert len(model.evaluated_on(inputs, true).evaluation.y_true) == 40 != len(model.evaluation.y_true)


def test_what_is_measured_on_other_rows_is_not_taken_for_the_models_own(iris) -> None:
    rows = iris.spec.load_data().head(60)
    own = irislib.insights.permutation_importance(iris)
    other_model = iris.evaluated_on(rows.drop(columns="species"), rows["species"])
    other = irislib.insights.permutation_importance(other_model)
    assert not own.frame.equals(other.frame)
    assert "were given to evaluate it" in irislib.insights.confusion_matrix(other_model).text
    assert irislib.insights.permutation_importance(iris).frame.equals(own.frame)


@pytest.mark.parametrize("classes", [(0.0, 1.0), (0, 1), ("0", "1")], ids=str)
def test_true_numbers_are_known_with_and_without_a_point(classes) -> None:
    rows = pd.DataFrame({"size": np.arange(40.0)})
    estimator = LogisticRegression().fit(rows, np.repeat(classes, 20))
    model = irislib.Model.from_estimator(estimator, rows, np.repeat(classes, 20), name="m", target="big")
    for true in ([0] * 20 + [1] * 20, [0.0] * 20 + [1.0] * 20):
        page = irislib.app(model)
        predict(page, rows.assign(big=true))
        assert [*page.csv_tab.table.truth.values()] == [*map(str, np.repeat(classes, 20))]
        assert not any(map(page.csv_tab.table.is_wrong, range(40)))


def test_true_values_that_are_not_known_are_an_error(iris) -> None:
    rows = iris.spec.load_data().head(3).drop(columns="species")
    with pytest.raises(DataError, match="'rose'"):
        iris.evaluated_on(rows, ["setosa", "rose", "setosa"])


def test_few_true_values_are_too_few_to_show_performance(iris) -> None:
    html, _ = predict(irislib.app(iris), iris.spec.load_data().head(5))
    assert "The file has 5 true answers; from 10 on" in html


def test_no_probability_above_one_is_drawn(iris) -> None:
    rows = iris.spec.load_data().head(2).drop(columns="species")
    _, (_, certainty) = predict(irislib.app(iris), rows)
    (axes,) = certainty.plot().axes
    assert max(bar.get_x() + bar.get_width() for bar in axes.patches) == pytest.approx(1)
    assert all(tick == round(tick) for tick in axes.get_yticks())


def test_problems_are_named_as_the_form_does(iris) -> None:
    rows = iris.spec.load_data().head(10).astype(object)
    rows.iloc[:2, rows.columns.get_loc("petal_length_cm")] = "about five"
    html, _ = predict(irislib.app(iris), rows)
    assert html.count("Petal length must be a number, got &#39;about five&#39;.") == 2


def test_the_preview_names_the_column_of_true_answers(iris) -> None:
    page, upload = irislib.app(iris), next(UPLOADS)
    rows = iris.spec.load_data().head(2).assign(note="wet").rename(columns={"species": " SPECIES"})
    request(page, "begin_csv", upload=upload, name="rows.csv")
    request(page, "append_csv", (rows.to_csv(index=False).encode(),), upload=upload)
    html = request(page, "read_csv", upload=upload)["html"]
    assert "True answers, to compare with: SPECIES." in html
    assert "Not used, but kept in the result: note." in html
