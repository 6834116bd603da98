"""Tables as people and their programs write them: what numbers mean, encodings, titles, quotes and widths."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from irislib._description.feature import Feature
from irislib._modeling import csv_layout, csv_lines, csv_predictions, csv_results, csv_rows
from irislib._modeling.model import Model
from irislib.errors import ValidationError

EITHER = "write the one that is meant"
MIXED = "decimal commas as well as decimal points"
POINT = "Write it with a point, not a comma."


@pytest.fixture(scope="module")
def add() -> Model:
    """A model of two numbers that predicts the first."""
    x = pd.DataFrame({"a": [0.0, 1, 2, 5], "b": [3.0, 1, 0, 2]})
    features = [Feature("a", unit="kg"), Feature("b", required=False)]
    estimator = make_pipeline(SimpleImputer(), LinearRegression()).fit(x, x["a"])
    return Model.from_estimator(estimator, x, x["a"], name="add", target="sum", features=features)


def predict(model: Model, content: str | bytes) -> tuple[list[list[str]], list[str | None]]:
    """Return the rows of the result without its header, and the problem of each row."""
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    layout = csv_layout.read_layout(file, model.spec.features)
    rows = list(csv_rows.read_rows(file, layout))
    predictions = csv_predictions.predict_csv_rows(model, layout, rows)
    cells = csv_results.result_cells(predictions, len(rows))
    result = csv_results.write_header(model, layout) + csv_results.write_csv(layout, rows, cells)
    lines = list(csv.reader(io.StringIO(result.decode("utf-8-sig"), newline=""), delimiter=layout.delimiter))
    return lines[1:], [line[-1] or None for line in lines[1:]]


def number(text: str) -> float:
    """Return a number of the result, which has the decimal sign of the file."""
    return float(text.replace(",", "."))


def refusal(model: Model, content: str | bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        predict(model, content)
    return " ".join(problem.message for problem in caught.value.problems)


# The values of the column a, those of b beside them, and what a is: numbers, or the ends of messages.
COLUMNS: list[tuple[list[str], list[str], list[Any]]] = [
    (["1.234,50", "1.234"], ["0", "0"], [1234.5, 1234]),
    (["1.234", "1.234,50"], ["0", "0"], [1234, 1234.5]),  # whichever comes first
    (["1.234", "2.345"], ["0,5", "1"], [1234, 2345]),  # from its neighbour
    (["1,234.50", "1,234"], ["0", "0"], [1234.5, 1234]),
    (["3,000", "12,500"], ["0", "0.5"], [3000, 12500]),
    (["3,000", "4,5"], ["0", "0"], [3, 4.5]),
    (["3,000", "12,500"], ["0", "0"], [EITHER, EITHER]),
    (["3,000", "12,500"], ["0,5", "0"], [3, 12.5]),
    (["3,000", "2"], ["0,5", "1.5"], [EITHER, 2]),  # its neighbours do not agree
    (["1.234", "2.345"], ["0", "0"], [1.234, 2.345]),  # as a program writes it
    (["1.234", "2.5"], ["0,5", "0"], [1.234, 2.5]),
    (["1.234.567", "1.234"], ["0", "0"], [1234567, 1234]),
    (["1,234,567", "1,234"], ["0", "0"], [1234567, 1234]),
    (["0,125", "1.234"], ["0", "0"], [0.125, 1234]),
    (["1 234,5", "1.234"], ["0", "0"], [1234.5, 1234]),
    (["1'234.5", "1,234"], ["0", "0"], [1234.5, 1234]),
    (["−1.234,5 kg", "1.234 kg"], ["0", "0"], [-1234.5, 1234]),
    (["1.234,5", "12%"], ["0", "0"], [1234.5, "for parts of 1."]),
    (["1.234,5", "€ 5"], ["0", "0"], [1234.5, "Write the number alone in kg."]),
    (["1,5e3", "2"], ["0", "0"], [1500, 2]),
    (["abc,de", "1.234"], ["0", "0"], ["got 'abc,de'.", 1.234]),  # which says nothing about numbers
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("case", COLUMNS, ids=lambda case: " ".join(case[0]))
def test_a_file_decides_once_what_its_commas_and_points_mean(add, case, delimiter: str) -> None:
    first, second, expected = case
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([["a", "b"], *zip(first, second, strict=True)])
    rows, problems = predict(add, file.getvalue())
    for text, row, problem, value in zip(first, rows, problems, expected, strict=True):
        assert row[0] == text  # as it was sent
        if isinstance(value, str):
            assert problem.endswith(value) or value in problem
            assert problem.startswith("a ")
        else:
            assert problem is None
            assert number(row[2]) == pytest.approx(value)


def test_a_column_with_both_signs_reads_what_is_sure_and_asks_about_the_rest(add) -> None:
    rows, problems = predict(add, "a;b\n6,5;\n6.5;\n1.234;\n1,234;\n")
    assert [row[2] and number(row[2]) for row in rows[:2]] == [pytest.approx(6.5)] * 2
    assert MIXED in problems[2]
    assert EITHER in problems[3]
    _, problems = predict(add, 'a,b\n"6,5",\n6.5,\n1.234,\n')
    assert POINT in problems[0]
    assert MIXED in problems[2]


def test_a_decision_is_made_from_the_whole_file(add) -> None:
    rows, _ = predict(add, "a;b\n" + "1.234;0\n" * 20_000 + "0,5;0\n")
    assert {round(number(row[2]), 6) for row in rows[:-1]} == {1234}


@pytest.mark.parametrize("text", ["NA", "NaN", "nan", "NULL", "#N/A", "-", "", "None"])
def test_a_missing_value_in_a_file(add, text: str) -> None:
    file = io.BytesIO(f"a,b\n1,{text}\n{text},1\n".encode())
    layout = csv_layout.read_layout(file, add.spec.features)
    rows = list(csv_rows.read_rows(file, layout))
    problems = csv_predictions.predict_csv_rows(add, layout, rows).problems
    assert all(problem.feature == "a" for problem in problems[1])  # a is required, b is not
    assert list(problems) == [1]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_of_another_encoding_is_read(add, encoding: str) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    content = marks.get(encoding, b"") + "a\tb\tname\r\n1,5\t0\tZürich\r\n".encode(encoding)
    rows, problems = predict(add, content)
    assert (rows[0][:3], problems) == (["1,5", "0", "Zürich"], [None])
    assert number(rows[0][3]) == pytest.approx(1.5)


@pytest.mark.parametrize("position", [0, 20_000])
def test_a_file_of_a_german_spreadsheet_is_read_and_answered_in_its_own_form(add, position: int) -> None:
    lines = ["1;2;x\r\n"] * 20_000
    lines[position:position] = ["1,5;0;Größe in Zürich\r\n", '-0,25;0;"Straße; §"\r\n']
    rows, problems = predict(add, f"a;b;Wörter\r\n{''.join(lines)}".encode("cp1252"))
    assert not any(problems)
    assert [row[2] for row in rows[position : position + 2]] == ["Größe in Zürich", "Straße; §"]
    assert {row[3].count(",") for row in rows} == {1}
    assert number(rows[position + 1][3]) == pytest.approx(-0.25)


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n".encode("utf-16-le"),
        "a,b,name\n1,2,Москва\n".encode("cp1251"),
        "a,b,name\n1,2,とうきょう\n".encode("shift-jis"),
        "a,b,name\n1,2,łódź białą\n".encode("cp1250"),
        "a,b,name\n1,2,上海市\n".encode("gb18030"),
    ],
)
def test_other_text_is_refused_with_the_remedy(add, content: bytes) -> None:
    assert "Save it as “CSV UTF-8”." in refusal(add, content)


# The texts of a column of days, and what they are; None for one that is refused.
DAYS = [
    (["31.12.2015", "03.04.2015", " 1.2.2016 ", "x"], ["2015-12-31", "2015-04-03", "2016-02-01", None]),
    (["31.12.15", "2015-12-30"], ["2015-12-31", "2015-12-30"]),
    (["2015.12.31", "2015.1.2"], ["2015-12-31", "2015-01-02"]),
    (["2015/12/31", "2015/1/2"], ["2015-12-31", "2015-01-02"]),
    (["03/04/2015", "31/12/2015"], ["2015-04-03", "2015-12-31"]),
    (["03/04/2015", "12/31/2015", ""], ["2015-03-04", "2015-12-31", None]),
    (["", "03-04-2015", "31-12-2015"], [None, "2015-04-03", "2015-12-31"]),
    (["03/04/2015", "05/05/2015"], [None, "2015-05-05"]),
    (["31/12/2015", "03/04/2015", "12/31/2015"], ["2015-12-31", None, "2015-12-31"]),
    (["31.12.2015 00:00", "03.04.2015 13:30"], ["2015-12-31", "2015-04-03"]),
    (["31-Dec-15", "2-May-16"], ["2015-12-31", "2016-05-02"]),
    (["Dec 31, 2015", "May 2, 2016"], ["2015-12-31", "2016-05-02"]),
    (["10-11-12", "13-11-12"], [None, None]),
    (["31.02.2015", "1.1.2015"], [None, "2015-01-01"]),
]


@pytest.mark.parametrize("rows_between", [0, 9_000])
@pytest.mark.parametrize(("texts", "expected"), DAYS)
def test_a_file_decides_once_how_its_days_are_written(texts: list[str], expected: list[Any], rows_between: int) -> None:
    lines = [f"{text};" for text in texts]
    lines[1:1] = [lines[0]] * rows_between
    file = io.BytesIO("\n".join(["day;note", *lines]).encode())
    features = [Feature("day", "date")]
    layout = csv_layout.read_layout(file, features)
    parts = list(csv_rows.read_parts(file, layout, 8_000))
    model = SimpleNamespace(spec=SimpleNamespace(features=features))
    checked = [csv_predictions.check_rows(model, layout, [[text, ""] for text in texts[1:]])]
    if all(texts):
        assert isinstance(parts[-1], csv_lines.Lines)
        checked.append(csv_predictions._check_lines(model, layout, parts[-1]))
    for frame, _ in checked:
        days = [None if pd.isna(day) else f"{day:%Y-%m-%d}" for day in frame["day"]]
        assert days[1 - len(texts) :] == expected[1:]
    for problem in checked[0][1]:
        is_either = "days or months come first" in problem.message
        assert is_either == (problem.value in ("03/04/2015", "05/05/2015")), problem
        assert problem.feature == "day"


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2,,\n",
        "a,b,,\n1,2\n",
        "a,b,,\n1,2,,,,\n",
        "a,b\n1,2, \n",
        "My table\na,b\n1,2\n",
        "My table,,\n\nExported 2026-01-31\n\na,b\n1,2\n",
        "# made by hand\n# in two lines, with a comma\na,b\n1,2\n",
        "# a,b\n1,2\n",
        "#a,b\n1,2\n",
        "sep=,\nTitle\na,b\n1,2\n",
        'Title "quoted"\na,b\n1,2\n',
        "Mass of a thing;;\nA (kg);B\n1;2\n",
        "a,b\n1,2\n# the end\n",
        "a,b\n1,2\n# the end, of all, of it\n",
        "a,b\n1,2\n# the end,\n",
        "a|b\n1|2\n",
        'a, "b"\n1, "2"\n',
        'a , "b", "c"\n1, 2, "x, y"\n',
    ],
)  # fmt: skip
def test_titles_comments_and_empty_cells_are_no_fault(add, text: str) -> None:
    rows, problems = predict(add, text)
    assert not any(problems)
    assert rows[0][:2] == ["1", "2"]
    numbers = [row for row in rows if row[-3] or row[-1]]
    assert len(numbers) == 1
    if "# the end" in text:
        assert rows[1][0] == "# the end"  # it is still there


def test_surplus_values_are_an_error_that_keeps_them(add) -> None:
    rows, problems = predict(add, "a,b,note\n1,2,x\n1,2,red, green,blue\n1\n")
    assert [len(row) for row in rows] == [len(rows[0])] * 3
    assert rows[1][:3] == ["1", "2", "red, green,blue"]
    assert problems == [
        None,
        "This line has 5 values, but the first line names 3 columns.",
        "This line has 1 values, but the first line names 3 columns.",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,2\n"1,2\n1,2\n', 3),
        ('Title\na,b\n1,2\n1,2\n1,"2\n1,2\n', 5),
        ('a,b\n1,"2\n"\n1,"2', 4),  # two lines of text are one row
        ('a,b\n1,2\n"1,2\n1,2\n1,"2"\n', 3),
        ('a,b\n1,2\n1,"2"3\n', 3),
        ('a,b\n1,2\n"' + "1,2\n" * 40_000, 3),
    ],
)
def test_a_quotation_mark_that_is_not_closed_names_its_line(add, text: str, line: int) -> None:
    message = refusal(add, text)
    assert "This is no CSV file." in message
    assert f"line {line} " in message.lower()


def test_a_file_without_a_header_is_explained(add) -> None:
    message = refusal(add, "1,2\n3,4\n")
    assert message == "No line of the file names the columns; one has to: a, b. It begins with: 1,2"
    assert "lacks the column a" in refusal(add, "x,y\n3,4\n")


def test_many_columns_are_matched_in_no_time(add) -> None:
    names = [f"column_{i}" for i in range(800)]
    features = [Feature(name) for name in names]
    file = io.BytesIO(("\n".join([",".join(names), ",".join(["1"] * 800)])).encode())
    assert list(csv_layout.read_layout(file, features).columns) == names
    with pytest.raises(ValidationError) as caught:
        csv_layout.read_layout(io.BytesIO(",".join(f"x_{i}" for i in range(800)).encode() + b"\n1"), features)
    assert str(caught.value.problems[-1]).endswith("(800 in all).")
    assert np.mean([len(problem.message) for problem in caught.value.problems]) < 200


def test_the_page_gives_files_that_spreadsheets_open(iris) -> None:
    from irislib.widgets._csv_tab import CsvTab
    from irislib.widgets._jobs import JobList

    tab, us = CsvTab(iris, JobList()), {"upload": 1}
    template = tab.template()[1]
    assert template.startswith(codecs.BOM_UTF8)
    for content in (template, template.removeprefix(codecs.BOM_UTF8) + b"# the end\n"):
        tab.handle_begin({"name": "flowers.csv", **us}, [])
        tab.handle_part(us, [content])
        total = tab.handle_read(us, [])["total"]
        assert tab.total == len(iris.spec.examples)  # without the comment
        tab.handle_slice({"start": 0, **us}, [])
        assert f"Rows predicted: {tab.total} of {tab.total}." in tab.handle_finish(us, [])["html"]
        result = tab.result_file()[1]
        assert result.startswith(codecs.BOM_UTF8)
        assert result.count(codecs.BOM_UTF8) == 1
        assert result.count(b"\n") == total + 1


def show(model: Model, content: bytes, name: str = "flowers.xlsx") -> tuple[str, list[list[str]]]:
    """Return what the page says of a file, and the rows of its result."""
    from irislib.widgets._csv_tab import CsvTab
    from irislib.widgets._jobs import JobList

    tab, us = CsvTab(model, JobList()), {"upload": 1}
    tab.handle_begin({"name": name, **us}, [])
    tab.handle_part(us, [content])
    reply = tab.handle_read(us, [])
    if "total" not in reply:
        return reply["html"], []
    tab.handle_slice({"start": 0, **us}, [])
    result = tab.result_file()[1].decode("utf-8-sig")
    return reply["html"] + tab.handle_finish(us, [])["html"], list(csv.reader(io.StringIO(result, newline="")))[1:]


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = pytest.importorskip("openpyxl").Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_the_sheet_of_a_workbook_with_the_columns_is_the_table(rent, add) -> None:
    rows = [["Flats", None], ["area_m2", "balcony", "built"], [40, True, pd.Timestamp("1990-05-01").to_pydatetime()]]
    html, result = show(rent, workbook(Notes=[["Read me"]], Flats=[*rows, [None], [80, "no", "2001-01-01"], ["#N/A"]]))
    assert "Rows in flowers.xlsx (sheet Flats): 3." in html
    assert result[0][:3] == ["40", "true", "1990-05-01"]
    expected = rent.predict([{"area_m2": 40, "balcony": True, "built": "1990-05-01"}])[0]
    assert number(result[0][-3]) == pytest.approx(expected)
    assert result[3][-1].startswith("area_m2 must be a number, got '#N/A'.")
    assert re.search(r"<td[^>]*>6</td>", html)  # the row's number in the sheet
    html, result = show(add, workbook(A=[["a", "b"], [0.12, "1,5"], [1234.5, None]]))
    assert [number(row[2]) for row in result] == [pytest.approx(0.12), pytest.approx(1234.5)]
    html, result = show(add, workbook(A=[["a", "b"], [1.234, "1,5"], [-1.234, "0,5"]]))
    assert [number(row[2]) for row in result] == [pytest.approx(1.234), pytest.approx(-1.234)]  # numbers, not text


def test_a_formula_without_its_result_is_no_empty_cell(add) -> None:
    _, result = show(add, workbook(A=[["a", "b"], [1, "=A2+1"], [2, None]]))
    assert [row[-1] for row in result] == [
        "b must be a number, got '=A2+1'. Write the result of the formula; a spreadsheet program adds it when it "
        "saves the file.",
        "",
    ]


def test_a_visible_sheet_comes_before_a_hidden_one(add) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(workbook(Old=[["a"], [5]], New=[["a"], [1]])))
    book["Old"].sheet_state = "hidden"
    book.active, file = 1, io.BytesIO()
    book.save(file)
    assert "(sheet New)" in show(add, file.getvalue())[0]


def test_a_parquet_file_is_a_table(add) -> None:
    pytest.importorskip("pyarrow")
    file = io.BytesIO()
    pd.DataFrame({"b": [None, 1.0], "a": [1.5, 2.0], "c": ["x, y", None], "d": [b"y", None]}).to_parquet(file)
    _, result = show(add, file.getvalue(), "rows.parquet")
    assert [row[:4] for row in result] == [["", "1.5", "x, y", "y"], ["1.0", "2.0", "", ""]]
    assert [number(row[4]) for row in result] == [pytest.approx(1.5), pytest.approx(2)]


def test_tables_that_cannot_be_read_are_explained(add, monkeypatch) -> None:
    good = workbook(A=[["a", "b"], [1, 2]])
    for content, reason in (
        (b"PK\x03\x04 nothing", "This Excel file cannot be read (BadZipFile)"),
        (good[:-200], "This Excel file cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
        (workbook(A=[["x", "y"], ["1", 2]]), "The file lacks the column a"),
    ):
        assert reason in show(add, content)[0]
    monkeypatch.setattr("irislib._modeling.table_files.UNPACKED_BYTES", 100)
    assert "when it is unpacked" in show(add, good)[0]
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert "Excel files are not taken here" in show(add, good)[0]


def test_a_sheet_with_too_many_rows_is_refused(add, monkeypatch) -> None:
    object.__setattr__(add.spec, "max_rows", 100)
    try:
        assert "more than 100 rows" in show(add, workbook(A=[["a"], *([[1]] * 500)]))[0]
    finally:
        object.__setattr__(add.spec, "max_rows", 100_000)
