"""Whole tables: what is read, what is refused, and what comes back."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from invalid_inputs import GOOD, TYPED

import irislib
from irislib._modeling import csv_layout, csv_lines, csv_predictions, csv_results, csv_rows, spreadsheet_safety
from irislib.errors import ValidationError
from irislib.widgets import _csv_tab as widget_table
from irislib.widgets._csv_tab import CsvTab
from irislib.widgets._jobs import JobList

NAMES = list(GOOD)
HEAD = ",".join(NAMES)
ROW = ",".join(str(value) for value in GOOD.values())


def read(model, text: str | bytes, max_rows: int = 10) -> tuple[csv_layout.CsvLayout, list[list[str]]]:
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    sheet = csv_layout.read_layout(file, model.spec.features)
    return sheet, list(csv_rows.read_rows(file, sheet, max_rows))


def problems_of(iris, text: str | bytes) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        read(iris, text)
    return [str(problem) for problem in caught.value.problems]


def predict_cells(model, sheet: csv_layout.CsvLayout, rows: list[list[str]]) -> tuple[list[tuple], list]:
    """Return the added cells of each row, and the problems."""
    predictions = csv_predictions.predict_csv_rows(model, sheet, rows)
    problems = [problem for row_problems in predictions.problems.values() for problem in row_problems]
    return list(csv_results.result_cells(predictions, len(rows))), problems


def predict_file(model, text: str | bytes) -> tuple[list[dict[str, str]], list]:
    """Return the result as a program reads it, and the problems."""
    sheet, rows = read(model, text, 1000)
    cells, problems = predict_cells(model, sheet, rows)
    content = csv_results.write_header(model, sheet) + csv_results.write_csv(sheet, rows, cells)
    lines = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(lines, delimiter=sheet.delimiter)), problems


@pytest.mark.parametrize(
    ("line", "are_lines"),
    [
        ('"1,2",3,4,5,6', True), ('1,2,3,4,"a, b, c"', True), ('"1,2","3,4","5,6",7,8', True), ('",",2,3,4,5', True),
        ('"1",2,3,4,5', False), ('"1,2"3,4,5,6', False), ('1,2"3,4",5,6', False), ('"1,""2",3,4,5', False),
        ('1,2,3,4,"5,\n6"', False), ('1,"2,3,4,5', False), ('"","1,2",3,4,5', False), ('"#1,2",3,4,5,6', False),
    ],
)  # fmt: skip
def test_lines_are_kept_if_their_quotation_marks_are_where_csv_needs_them(line: str, are_lines: bool) -> None:
    file = io.BytesIO(f"{HEAD},note\n{ROW},a\n{line}\n{ROW},b\n".encode())
    sheet = csv_layout.CsvLayout([*NAMES, "note"], {}, 2, ",", b"")
    block = next(csv_lines.read_blocks(file, sheet, csv_lines.find_first_row(file, sheet), 9))
    assert isinstance(block.rows, csv_lines.Lines) == are_lines


def test_rows_keep_their_order(iris) -> None:
    data = iris.spec.load_data().sample(frac=1, random_state=1).reset_index(drop=True)
    columns = ["species", *reversed(NAMES)]  # in another order, and with the truth beside it
    rows, problems = predict_file(iris, data[columns].assign(id=range(150)).to_csv(index=False))
    assert not problems
    result = pd.DataFrame(rows)
    assert list(result) == [
        *columns, "id", "predicted_species", *(f"probability_{name}" for name in iris.classes), "warnings", "problems",
    ]  # fmt: skip
    assert result["id"].tolist() == [str(i) for i in range(150)]
    assert result["predicted_species"].tolist() == iris.predict(data[NAMES]).tolist()
    proba = result[[f"probability_{name}" for name in iris.classes]].astype(float).to_numpy()
    assert abs(proba - iris.predict_proba(data[NAMES])).max() < 1e-6


@pytest.mark.parametrize("case", TYPED, ids=lambda case: str(case.changes)[:40])
def test_an_invalid_row_gets_its_problems_and_the_others_are_predicted(iris, case) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([NAMES, GOOD.values(), [case.row[name] for name in NAMES], GOOD.values()])
    rows, problems = predict_file(iris, file.getvalue())
    assert [row["predicted_species"] for row in rows] == ["virginica", "", "virginica"]
    assert {problem.feature: problem.message for problem in problems} == case.messages
    assert {problem.row for problem in problems} == {1}
    assert all(message in rows[1]["problems"] for message in case.messages.values())
    assert [row["problems"] for row in (rows[0], rows[2])] == ["", ""]
    assert rows[1]["petal_width_cm"] == str(case.row["petal_width_cm"])  # as it was sent


def test_a_regression_with_dates_categories_and_holes(rent) -> None:
    text = "area_m2;rooms;district;balcony;built\n40;;hill;yes;1990-05-01\n80;3;;false;2001-01-01\n80;3;moon;no;x\n"
    rows, problems = predict_file(rent, text)
    assert list(rows[0])[-3:] == ["predicted_rent", "warnings", "problems"]
    expected = rent.predict([{"area_m2": 40, "district": "hill", "balcony": True, "built": "1990-05-01"}])[0]
    assert float(rows[0]["predicted_rent"]) == expected
    assert rows[2]["predicted_rent"] == ""
    assert "must be one of 'centre', 'harbour', 'hill', got 'moon'." in rows[2]["problems"]
    assert [problem.feature for problem in problems] == ["district", "built"]
    rows, _ = predict_file(rent, "area_m2,balcony,built\n40,yes,1990-05-01\n")
    assert float(rows[0]["predicted_rent"]) > 0  # whole columns that may be empty can be left out


def test_warnings_come_with_their_rows(iris) -> None:
    rows, _ = predict_file(iris, f"{HEAD}\n{ROW}\n1,1,1,1\n")
    assert rows[0]["warnings"] == ""
    assert "sepal_length_cm is 1, but the model was trained on" in rows[1]["warnings"]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_table_as_spreadsheets_write_it(iris, sign: str, end: str, bom: str) -> None:
    lines = [f' {HEAD} ,"a, b; c"', "", f'{ROW},"two\nlines, and a ""quote"""', ",,,,", f"{ROW},ü"]
    text = bom + end.join(line.replace(",", sign) if i != 2 else line for i, line in enumerate(lines))
    text = text.replace(f"{ROW},", ROW.replace(",", sign) + sign)
    sheet, rows = read(iris, text)
    assert sheet.header[:4] == NAMES
    assert len(sheet.unused) == 1
    good = [str(value) for value in GOOD.values()]
    assert [row[:4] for row in rows] == [[], good, [], good]
    assert sheet.first_line == 2
    assert rows[1][4] == 'two\nlines, and a "quote"'
    content = csv_results.write_csv(sheet, rows, [["a"], ["b"], ["c"], ["d"]]).decode()
    back = list(csv.reader(io.StringIO(content, newline=""), delimiter=sign))
    assert back[:2] == [["", "", "", "", "", "a"], [*rows[1], "b"]]
    assert csv_results.write_header(iris, sheet).decode().startswith(f"{bom}{NAMES[0]}{sign}")
    cells, problems = predict_cells(iris, sheet, rows)  # what is empty gets neither an answer nor a problem
    assert [row[0] for row in cells] == [None, "virginica", None, "virginica"]
    assert not problems


def test_an_unusable_file_gives_the_reason(iris) -> None:
    assert problems_of(iris, "\n") == ["The file is empty."]
    for text in (HEAD, f"{HEAD}\n\n"):
        assert problems_of(iris, text) == ["The file holds no rows below its first line, which names the columns."]
    assert "not UTF-8 text" in problems_of(iris, b"\xff\xfe\x00,\x00")[0]
    for text in (f"{HEAD}\n" + "x" * 200_000, "{" + "x" * 200_000, f'{HEAD}\n{ROW}\n"{ROW}\n{ROW}\n'):
        assert "This is no CSV file." in problems_of(iris, text)[0]
    for lines in (f"{ROW}\n" * 11, "\n" * 10 + ROW):
        assert problems_of(iris, f"{HEAD}\n{lines}") == [
            "The file has more than 10 rows, which are the most that are taken. Split it."
        ]
    assert len(read(iris, f"{HEAD}\n{ROW}" + "\n" * 99)[1]) == 1  # empty lines at the end are none
    assert problems_of(iris, f"{HEAD},petal_width_cm\n{ROW},1") == [
        "The column petal_width_cm is there more than once."
    ]
    assert problems_of(iris, f"{HEAD.replace('petal_width', 'petal_widht')}\n{ROW}") == [
        "The file lacks the column petal_width_cm: expected a number above 0 and at most 30 cm. "
        "Did you mean 'petal_widht_cm'?",
        "The file has: petal_length_cm, petal_widht_cm, sepal_length_cm, sepal_width_cm.",
    ]


def test_a_line_with_too_few_or_too_many_values_is_a_problem(iris) -> None:
    rows, problems = predict_file(iris, f"{HEAD},id\n{ROW},1\n{ROW}\n{ROW},1,2\n")
    assert [row["predicted_species"] for row in rows] == ["virginica", "", ""]
    assert [problem.message for problem in problems] == [
        "This line has 4 values, but the first line names 5 columns.",
        "This line has 6 values, but the first line names 5 columns.",
    ]


def test_a_line_break_inside_a_value_is_preserved(iris) -> None:
    _, rows = read(iris, f'{HEAD},note\r\n{ROW},"a\r\nb\rc\nd"\r\n')
    assert rows[0][4] == "a\r\nb\rc\nd"


def test_a_result_can_be_sent_again_without_losing_columns(iris) -> None:
    content = f"{HEAD},warnings\n{ROW},mine\n".encode()
    for _ in range(2):
        sheet, rows = read(iris, content)
        content = csv_results.write_header(iris, sheet) + csv_results.write_csv(
            sheet, rows, predict_cells(iris, sheet, rows)[0]
        )
    sheet, rows = read(iris, content)
    row = dict(zip(sheet.header, rows[0], strict=True))
    assert (row["warnings"], row["warnings_2"], row["predicted_species"]) == ("mine", "", "virginica")
    assert row["predicted_species_2"] == "virginica"
    assert len(row) == len(sheet.header)


@pytest.mark.parametrize("before", ["\n\n", "sep=;\r\n", "\r"])
def test_lines_before_the_header_are_skipped(iris, before: str) -> None:
    sheet, rows = read(
        iris, before + f"{HEAD}\n{ROW}\n".replace(",", ";").replace("\n", "\r" if before == "\r" else "\n")
    )
    assert sheet.header == NAMES
    assert sheet.first_line == 2 + (2 if before == "\n\n" else 1)
    assert [row[0] for row in predict_cells(iris, sheet, rows)[0]] == ["virginica"]


def test_columns_may_have_the_labels_of_the_form_and_numbers_a_decimal_comma(iris) -> None:
    text = "petal length (cm);PETAL_WIDTH_CM;Sepal length;sepal_width_cm\n6,0;2,5;6.3;3,3\n6,0,0;2,5;1;1\n"
    rows, problems = predict_file(iris, text)
    assert [row["predicted_species"] for row in rows] == ["virginica", ""]
    assert "got '6,0,0'" in problems[0].message
    assert list(rows[0].values())[:4] == ["6,0", "2,5", "6.3", "3,3"]  # as it was sent
    mixed = predict_file(iris, f'{HEAD}\n"6,0",1,1,1\n6.5,1,1,1\n')
    assert [row["predicted_species"] for row in mixed[0]] == ["", "virginica"]
    assert "Write it with a point" in mixed[1][0].message


def test_problems_come_in_the_order_of_the_lines(iris) -> None:
    _, problems = predict_file(iris, f"{HEAD}\n1,1,1,x\nx,1,1,1\n1,2\n1,x,1,x\n")
    assert [problem.row for problem in problems] == [0, 1, 2, 3, 3]


def test_a_template_is_a_table_that_can_be_used(iris, rent) -> None:
    for model in (iris, rent):
        page = irislib.app(model)
        name, content = page.csv_tab.template()
        assert name == f"{model.spec.name}-template.csv"
        rows, problems = predict_file(model, content)
        assert len(rows) == len(model.spec.examples)
        assert not problems


def test_the_page_takes_a_table_in_parts_and_predicts_it_in_slices(iris, monkeypatch) -> None:
    monkeypatch.setattr(widget_table, "SLICE_ROWS", 7)
    table = irislib.app(iris).csv_tab
    content = f"{HEAD}\n{ROW}\n" + f"{ROW}\n1,2\n" * 9
    for us in ({"upload": 1}, {"upload": 2}):  # a second file takes the first one's place
        table.handle_begin({"name": "flowers.csv", **us}, [])
        for at in range(0, len(content), 50):
            assert table.handle_part(us, [memoryview(content[at : at + 50].encode())]) == {}
        assert table.handle_read(us, [])["total"] == 19
        assert "error" in table.handle_slice({"start": 3, **us}, [])
        assert "error" in table.handle_part({"upload": 0}, [b"of another file"])
        assert (
            table.handle_slice({"start": 0, **us}, []) == table.handle_slice({"start": 0, **us}, []) == {"done": 7}
        )  # asked twice, done once
        assert table.handle_slice({"start": 7, **us}, []) == {"done": 14}
        assert table.handle_slice({"start": 14, **us}, []) == {"done": 19}
        html = table.handle_finish(us, [])["html"]
        assert "Rows predicted: 10 of 19." in html
        assert "Rows that could not be predicted: 9." in html
        assert re.search(r"<td[^>]*>4</td><td>This line has 2 values", html)
        name, result = table.result_file()
        assert name == "flowers-predicted.csv"
        assert result.decode().count("virginica") == 11  # and one in the header


def test_the_page_takes_a_table_of_a_german_spreadsheet(rent) -> None:
    table, us = irislib.app(rent).csv_tab, {"upload": 1}
    text = "area_m2;rooms;district;balcony;built;Größe\r\n40,5;1;hill;yes;31.12.1990;süß\r\n"
    table.handle_begin({"name": "flats.csv", **us}, [])
    table.handle_part(us, [text.encode("cp1252")])
    html = table.handle_read(us, [])["html"]
    assert "read as Windows-1252" in html
    assert "süß" in html
    assert table.handle_slice({"start": 0, **us}, []) == {"done": 1}
    assert "Rows predicted: 1 of 1." in table.handle_finish(us, [])["html"]
    result = table.result_file()[1].decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(result, newline=""), delimiter=";")
    example = {"area_m2": 40.5, "rooms": 1, "district": "hill", "balcony": True, "built": "1990-12-31"}
    assert row["predicted_rent"] == str(rent.predict([example])[0]).replace(".", ",")
    assert (row["built"], row["Größe"]) == ("31.12.1990", "süß")


def test_a_file_that_is_too_large_is_refused_and_dropped(iris, monkeypatch) -> None:
    monkeypatch.setattr(widget_table, "MAX_FILE_BYTES", 1000)
    table, us = irislib.app(iris).csv_tab, {"upload": 1}
    table.handle_begin({"name": "big.csv", **us}, [])
    assert table.handle_part(us, [b"x" * 1000]) == {}
    assert "big.csv has over" in table.handle_part(us, [b"x"])["error"]
    assert not table.content
    assert "choose the file again" in table.handle_slice({"start": 0, **us}, [])["error"]


@pytest.mark.parametrize(
    ("cell", "is_marked"),
    [
        ("=1+1", True), ('=HYPERLINK("http://x")', True), ("@SUM(1)", True), ("+1+cmd|' /C calc'!A0", True),
        ("-2+3", True), (" =1", True), ("\t=1", True), ("＝1+1", True), ("-1 to 0", True),
        ("-5", False), ("+5", False), ("-5,25", False), ("-1.234,5", False), ("-1e-5", False), ("-", False),
        ("text", False), ("", False), ("a=b", False), ("'quoted", False), ("-12 %", False),
    ],
)  # fmt: skip
def test_a_cell_of_a_downloaded_file_is_no_formula(cell: str, is_marked: bool) -> None:
    for delimiter in ",;":
        file = io.StringIO()
        csv.writer(file, delimiter=delimiter).writerow(["x", cell])
        content = spreadsheet_safety.mark_formulas(b"\xef\xbb\xbf" + file.getvalue().encode(), delimiter)
        assert content.startswith(b"\xef\xbb\xbf")
        ((_, marked),) = csv.reader(io.StringIO(content[3:].decode(), newline=""), delimiter=delimiter)
        assert marked == (f"'{cell}" if is_marked else cell)
        assert spreadsheet_safety.unmark(marked) == cell


def test_a_page_offers_files_without_formulas_and_reads_them_back(rent) -> None:
    tab = CsvTab(rent, JobList())
    names = rent.spec.feature_names
    (example, *_) = rent.spec.examples.values()
    line = ",".join([*(str(example.get(name, "")) for name in names), "=1+1"])

    def predicted(content: bytes) -> bytes:
        tab.handle_begin({"name": "flats.csv", "upload": 1}, [])
        tab.handle_part({"upload": 1}, [content])
        tab.handle_read({"upload": 1}, [])
        tab.handle_slice({"start": 0, "upload": 1}, [])
        return tab.result_file()[1]

    content = predicted(",".join([*names, "note"]).encode() + b"\r\n" + line.encode())
    assert b",'=1+1," in content
    assert tab.rows[0][-1] == "=1+1"
    again = predicted(content)
    assert tab.rows[0][len(names)] == "=1+1"
    assert b",''" not in again


def test_rows_that_are_refused_for_their_shape_cost_no_check(iris, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have millions of comments."""
    checked = []
    check = csv_predictions.check_columns
    monkeypatch.setattr(
        csv_predictions,
        "check_columns",
        lambda features, columns, count: checked.append(count) or check(features, columns, count),
    )
    good = ROW.split(",")
    rows = [good, *[["# a comment"]] * 50, *[[*good, "7"]] * 50, good, ["", *good[1:]]]
    layout, _ = read(iris, f"{HEAD}\n{ROW}\n")
    predictions = csv_predictions.predict_csv_rows(iris, layout, rows, start=10)
    assert checked == [3]
    expected = iris.predict(GOOD)[0]
    assert predictions.columns[0] == [expected, *[None] * 100, expected, None]
    assert list(predictions.problems) == [*range(1, 101), 102]
    assert all(not predictions.problems[row] for row in range(1, 51))
    assert [problem.row for row in (51, 100, 102) for problem in predictions.problems[row]] == [61, 110, 112]
