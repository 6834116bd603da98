"""Tables as messy as people's files are: what is read, the code that reads it again, and what is said."""

import contextlib
import csv
import datetime as dt
import io
import pickle
import re
import sqlite3
import tempfile
import tomllib
import zipfile
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from conftest import FUZZ
from hypothesis import given, settings
from hypothesis import strategies as st

from irislib._project.other_files import finish
from irislib._project.sql_source import MAGIC, WAL_VERSIONS, content_of
from irislib._project.table_code import TableCode
from irislib._project.table_source import TableSource, read_table
from irislib.errors import DataError


def evaluate(source: TableSource) -> pd.DataFrame:
    """Run the code as a function of somebody's own module."""
    body = "\n".join(f"    {line}" for line in source.body.splitlines())
    names: dict[str, object] = {}
    exec("\n".join(["import pandas as pd", *source.imports, f"def load_data():\n{body}"]), names)  # noqa: S102
    names["DATA"] = source.path
    frame = names["load_data"]()
    exec(f"import pandas as pd\ndata = {source.expression}", names)  # noqa: S102
    pd.testing.assert_frame_equal(names["data"], frame)
    return frame


def read(
    folder: Path, content: str | bytes, name: str = "table.csv", encoding: str = "utf-8", named: str | None = None
) -> TableSource:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    source = read_table(str(path), encoding=named)
    pd.testing.assert_frame_equal(evaluate(source), source.frame)
    assert "irislib" not in source.body
    return source


# By name: the text, its encoding, the columns that are expected, what the code has, and what the notes say.
TABLES = {
    "plain": ("a,b\n1,x\n2,y\n", "utf-8", {"a": [1, 2], "b": ["x", "y"]}, "return pd.read_csv(DATA)", ""),
    "with a mark": ("a,b\n1,x\n2,y\n", "utf-8-sig", {"a": [1, 2], "b": ["x", "y"]}, "return pd.read_csv(DATA)", ""),
    "German": (
        "Name;Umsatz;Datum;Größe\nMüller;1.234,50;31.12.2025;1,5\nMaier;2.000,00;01.02.2025;?\n",
        "cp1252",
        {"Umsatz": [1234.5, 2000], "Datum": ["2025-12-31", "2025-02-01"], "Größe": [1.5, None]},
        'pd.to_datetime(data["Datum"], format="%d.%m.%Y")',
        "Windows-1252",
    ),
    "French": (
        "ville;prix\nParis;1 234,5\nLyon;12,5\n",
        "utf-8",
        {"prix": [1234.5, 12.5]},
        'thousands=" "',
        "spaces between thousands",
    ),
    "narrow spaces": (
        "ville;prix\nParis;1\u202f234,5\nLyon;12,5\n",
        "utf-8",
        {"prix": [1234.5, 12.5]},
        'str.replace(r"\\s", "", regex=True)',
        "prix: texts such as 1\u202f234,5 are read as numbers",
    ),
    "Swiss": ("a;b\nx;1'234.5\ny;2.5\n", "utf-8", {"b": [1234.5, 2.5]}, 'thousands="\'"', "apostrophes"),
    "UTF-16": ("x\ty\n1\tä\n2\tb\n", "utf-16", {"x": [1, 2], "y": ["ä", "b"]}, 'encoding="utf-16"', "UTF-16"),
    "titles and a total": (
        "Report of sales\n\ncreated;2025;;\na;b;c;d\n1;1,5;x;2025-01-01\n2;2,5;y;2025-01-02\nTotal;4,0;;\n",
        "utf-8",
        {"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"], "d": ["2025-01-01", "2025-01-02"]},
        "skipfooter=1",
        "'Report of sales'",
    ),
    "an index": (",x,y\n0,1,a\n1,2,b\n", "utf-8", {"x": [1, 2], "y": ["a", "b"]}, "index_col=0", "numbers the rows"),
    "names of rows": ("x,y\nfirst,1,2\nsecond,3,4\n", "utf-8", {"x": [1, 3], "y": [2, 4]}, "(DATA)", "names the rows"),
    "no names": (
        "1,2.5,x\n2,3.5,y\n",
        "utf-8",
        {"column_0": [1, 2], "column_1": [2.5, 3.5], "column_2": ["x", "y"]},
        "header=None",
        "column_0 to column_2",
    ),
    "units and percent": (
        "price,share\n€ 3.50,12 %\n€ 4.50,13 %\n",
        "utf-8",
        {"price": [3.5, 4.5], "share": [12, 13]},
        'data["share"]\n    .str.replace("%", "")',
        "(12 % as 12)",
    ),
    "day and time": (
        "when,x\n2025-01-31 10:30:00,1\n2025-02-01 11:45:00,2\n",
        "utf-8",
        {"when": ["2025-01-31", "2025-02-01"], "x": [1, 2], "when_hour": [10, 11]},
        'data["when"].dt.normalize()',
        "the hour is a column of its own, when_hour",
    ),
    "either day": (
        "when,x\n01/02/2025,1\n03/04/2025,2\n",
        "utf-8",
        {"when": ["2025-01-02", "2025-03-04"]},
        "%m/%d/%Y",
        "it is read month first. If that is wrong, change the format to %d/%m/%Y",
    ),
    "spaces": ("a   b\n1     2\n 3   4\n", "utf-8", {"a": [1, 3], "b": [2, 4]}, 'sep=r"\\s+"', "Spaces separate"),
    "codes": (
        "x, y, plz\n1, ?, 01234\n2, 3.5, 99999\n",
        "utf-8",
        {"y": [None, 3.5], "plz": ["01234", "99999"]},
        'dtype={"plz": str}',
        "are codes and stay text",
    ),
    "single quotes": (
        "a,'b c',d\n1,'x, y',2\n3,'it''s',4\n",
        "utf-8",
        {"a": [1, 3], "b c": ["x, y", "it's"], "d": [2, 4]},
        'quotechar="\'"',
        "Single quotation marks",
    ),
    "apostrophes": ("a,b\n1,'t Hooft\n2,it's\n", "utf-8", {"b": ["'t Hooft", "it's"]}, "return pd.read_csv(DATA)", ""),
    "backslashes": (
        'a,b,c\n1,"say \\"hi, you\\"",2\n3,"x, y",4\n',
        "utf-8",
        {"a": [1, 3], "b": ['say "hi, you"', "x, y"], "c": [2, 4]},
        'escapechar="\\\\"',
        "A backslash stands",
    ),
    "folders": ('a,b\n1,"C:\\x\\"\n2,"D:\\"\n', "utf-8", {"b": ["C:\\x\\", "D:\\"]}, "return pd.read_csv(DATA)", ""),
    "units": (
        "Table of boxes\nid;length;weight;kind\n;cm;[kg];-\n7;1,5;3;x\n9;2,5;4;y\n11;3,5;6;x\n",
        "utf-8",
        {"id": [7, 9, 11], "length (cm)": [1.5, 2.5, 3.5], "weight (kg)": [3, 4, 6], "kind": ["x", "y", "x"]},
        "skiprows=[0, 2]",
        "units, such as cm of length",
    ),
    "no units": ("a,b\nx,y\n1,2\n3,4\n", "utf-8", {"a": ["x", "1", "3"]}, "return pd.read_csv(DATA)", ""),
    "a row of gaps": ("a,b\nNA,NA\n1,2\n3,4\n", "utf-8", {"a": [1, 3]}, "dropna", "Rows without any value"),
    "names": (
        'a,"b\nc",a,\n1,2,3,\n4,5,6,\n',
        "utf-8",
        {"a": [1, 4], "b c": [2, 5], "a.1": [3, 6]},
        'drop(columns=["Unnamed: 3"])',
        "'a.1'",
    ),
    "gaps": (
        "a\tb\tc\nyes\tN/A\t1\nno\tkeine Angabe\t-\nyes\tred\t3\n",
        "utf-8",
        {"a": ["yes", "no", "yes"], "b": [None, None, "red"], "c": [1, None, 3]},
        'na_values=["-", "keine Angabe"]',
        "'-' and 'keine Angabe' stand for missing values",
    ),
    "separators at the ends": (
        "a;b;c\n1;2;3;\n4;5;6;\n",
        "utf-8",
        {"a": [1, 4], "b": [2, 5], "c": [3, 6]},
        "index_col=False",
        "Each line ends with a separator",
    ),
    "empty lines of separators": (
        "a;b;c\n1;2;3\n4;5;6;;\n;;\n",
        "utf-8",
        {"a": [1, 4], "b": [2, 5], "c": [3, 6]},
        "usecols=range(3), skipfooter=1",
        "Rows without any value are left out.",
    ),
    "telephone numbers": (
        "name,tel\nA,030 123456\nB,+49 30 1234\n",
        "utf-8",
        {"tel": ["030 123456", "+49 30 1234"]},
        "return pd.read_csv(DATA)",
        "",
    ),
    "points of either meaning": (
        "name;amount\na;1.234\nb;2.500\n",
        "utf-8",
        {"amount": [1.234, 2.5]},
        'pd.read_csv(DATA, sep=";")',
        "amount: numbers such as 1.234 can mean two things; they are read as 1.234.",
    ),
    "signs": (
        "strand,treatment,x\n+,none,−1\n-,drug,2\n",
        "utf-8",
        {"strand": ["+", "-"], "treatment": ["none", "drug"], "x": [-1, 2]},
        'str.replace("−", "-")',
        "x: texts such as −1 are read as numbers",
    ),
    "names in a comment": (
        "# units: kg\n# a,b\n1,2\n3,4\n",
        "utf-8",
        {"a": [1, 3], "b": [2, 4]},
        'str.lstrip("# ")',
        "'# units: kg'",
    ),
    "a sign more in the header": (
        "Series: x\n\nyear,part,value,\n1959,Q1,5.8\n1960,Q1,5.1\n",
        "utf-8",
        {"year": [1959, 1960], "part": ["Q1", "Q1"], "value": [5.8, 5.1]},
        'drop(columns=["Unnamed: 3"])',
        "columns without names and values are left out",
    ),
    "every fifth year": (
        ",1940,1945,1950\nfood,22.2,44.5,59.6\nhealth,3.5,5.7,9.7\n",
        "utf-8",
        {"1940": [22.2, 3.5], "1950": [59.6, 9.7]},
        "index_col=0",
        "numbers the rows",
    ),
    "either day beside decimal commas": (
        "when;x\n01/02/2025;1,5\n03/04/2025;2,5\n",
        "utf-8",
        {"when": ["2025-02-01", "2025-04-03"]},
        'format="%d/%m/%Y"',
        "it is read day first",
    ),
    "midnight": (
        "day,x\n2025-01-01 00:00:00,1\n2025-01-02 00:00:00,2\n",
        "utf-8",
        {"day": ["2025-01-01", "2025-01-02"]},
        'format="ISO8601")\nreturn data',
        "day: days written as",
    ),
    "points and commas in one column": (
        "a;b\n1,5;x\n1.5;y\n",
        "utf-8",
        {"a": ["1,5", "1.5"]},
        'return pd.read_csv(DATA, sep=";", decimal=",")',
        "Numbers have decimal commas.",
    ),
    "years": (
        "name,2019,2020\nx,1,2\ny,3,4\n",
        "utf-8",
        {"2019": [1, 3], "2020": [2, 4]},
        "return pd.read_csv(DATA)",
        "",
    ),
    "zones": (
        "t,x\n2025-01-01T10:00:00Z,1\n2025-01-01T11:00:00+02:00,2\n",
        "utf-8",
        {"t": ["2025-01-01", "2025-01-01"], "t_hour": [10, 9]},
        "utc=True",
        "times of a time zone are read as UTC",
    ),
    "days as numbers": (
        "datum;wert\n20250131;1\n20250228;2\n",
        "utf-8",
        {"datum": ["2025-01-31", "2025-02-28"]},
        'format="%Y%m%d"',
        "datum: days written as 20250131",
    ),
    "comments": ("# first\na,b\n1,2\n# foo\n3,4\n", "utf-8", {"a": [1, 3], "b": [2, 4]}, 'comment="#"', "comments"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_messy_table_is_read(name, tmp_path):
    text, encoding, expected, code, note = TABLES[name]
    source = read(tmp_path, text, encoding=encoding)
    for column, values in expected.items():
        own = source.frame[column]
        if own.dtype.kind == "M":
            own = own.dt.strftime("%Y-%m-%d")
        assert [None if pd.isna(value) else value for value in own] == [*values], column
    assert code in source.body
    assert note in " ".join(source.notes)
    assert bool(source.notes) == bool(note)
    assert ("can mean two" in " ".join(source.notes)) == ("either" in name)


def test_codes_too_long_for_numbers_stay_text(tmp_path):
    source = read(tmp_path, "name,id\nA,12345678901234567890123\nB,2\n")
    assert source.frame["id"].tolist() == ["12345678901234567890123", "2"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1250", ["źródło", "łódź"]), ("cp1251", ["город", "Москва"]), ("cp932", ["都市", "東京"]),
        ("gb18030", ["城市", "上海"]), ("cp1253", ["πόλη", "Αθήνα"]), ("cp850", ["Größe", "schön"]),
        ("mac_roman", ["Länge", "kürzer"]),
    ],
)  # fmt: skip
def test_an_encoding_that_is_not_certain_is_asked_for(encoding, words, tmp_path):
    name, value = words
    text = f"{name};x\n{value};1,5\n{value} b;2,5\n"
    with pytest.raises(DataError, match="Name its encoding with --encoding") as caught:
        read(tmp_path, text, encoding=encoding)
    assert f"{name} in {encoding}" in str(caught.value)
    assert "\n" not in str(caught.value)
    source = read(tmp_path, text, encoding=encoding, named=encoding)
    assert source.frame[name].tolist() == [value, f"{value} b"]
    assert f"The file is in {encoding}" in " ".join(source.notes)
    with pytest.raises(DataError, match="is not in utf-8: some of its bytes are no text there"):
        read(tmp_path, text, encoding=encoding, named="utf-8")
    for unknown in ("cp9", "rot13"):
        with pytest.raises(DataError, match="There is no encoding"):
            read(tmp_path, text, named=unknown)
    (tmp_path / "table.json").write_text('[{"a": 1, "b": 2}]')
    with pytest.raises(DataError, match="--encoding is for CSV files"):
        read_table(str(tmp_path / "table.json"), encoding=encoding)


@pytest.mark.parametrize(
    "text",
    ["Größe in m², Fläche in m³", "l’été à l'œuvre – déjà", "¿Qué? ¡Él, ça! «Ñandú»", "naïve Šárka Žižka", "5 € je Maß",
     "Ålesund, Øre, Æble", "°C ± ½ µm"],
)  # fmt: skip
def test_what_is_surely_windows_1252_is_not_asked_for(text, tmp_path):
    source = read(tmp_path, f"a;b\n{text};1\nx;2\n", encoding="cp1252")
    assert source.frame["a"].tolist() == [text, "x"]
    assert 'encoding="cp1252"' in source.body


REFUSED = {
    "empty": ("", "is empty. Give a file with a line of names"),
    "blank": ("\n\n", "is empty."),
    "header only": ("a,b\n", "names columns but has no rows below them"),
    "one column": ("a\n1\n2\n", "has one column only, 'a'"),
    "too many values": ("a,b\n1,2\n1,2,3\n", "Line 3 of {path} has 3 values for 2 columns"),
    "other backslashes": (
        'a,b,c\n1,"x \\"y, z\\" \\d",2\n3,"u, v",4\n',
        "has backslashes before quotation marks, and others",
    ),
    "open quote": ('a,b\n1,"2\n3,4\n', "a quotation mark opens in line 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_a_sentence(name, tmp_path):
    content, sentence = REFUSED[name]
    with pytest.raises(DataError, match=re.escape(sentence.format(path=tmp_path / "table.csv"))) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path):
    (tmp_path / "churn.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"Did you mean 'churn.csv'\?"):
        read_table(str(tmp_path / "chrun.csv"))
    with pytest.raises(DataError, match=r"is a folder; give a file in it, such as churn\.csv\."):
        read_table(str(tmp_path))
    for text in ("~nobody-here/a.csv", "select * from items where name = " + "x" * 999):
        with pytest.raises(DataError, match=re.escape(text)):
            read_table(text)
    with pytest.raises(DataError, match="Download the file first"):
        read_table("https://example.org/churn.csv")


FRAME = pd.DataFrame(
    {
        "größe": [1.5, 2.5, 3.5],
        "day": pd.to_datetime(["2025-01-01", "2025-02-01", "2025-03-01"]),
        "kind": ["x", "?", "z"],
        "plz": ["01234", "00001", "99999"],
    }
)


def check(source: TableSource, code: str, **more: list[object]) -> None:
    """Check a table that was written from FRAME, or from one with other columns beside it."""
    pd.testing.assert_frame_equal(evaluate(source), source.frame)
    frame = source.frame
    assert frame["größe"].tolist() == [1.5, 2.5, 3.5]
    assert frame["day"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert [None if pd.isna(value) else value for value in frame["kind"]] == ["x", None, "z"]
    assert frame["plz"].tolist() == ["01234", "00001", "99999"]
    for column, values in more.items():
        assert frame[column].astype(object).tolist() == values, column
    assert code in source.body
    assert "'?' stands for missing values." in source.notes


def test_excel_files(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "one.xlsx"
    with pd.ExcelWriter(path) as writer:
        FRAME.to_excel(writer, sheet_name="Eins", index=False)
    check(read_table(str(path)), 'pd.read_excel(DATA, dtype={"plz": str}, na_values=["?"])')
    with pd.ExcelWriter(path, mode="a") as writer:
        FRAME.to_excel(writer, sheet_name="Zwei", index=False, startrow=3, startcol=2)
    with pytest.raises(DataError, match=r"has 2 sheets with tables: 'Eins' and 'Zwei'\. Choose one with --sheet\."):
        read_table(str(path))
    with pytest.raises(DataError, match=r"has no sheet 'Drei'\. Known: Eins, Zwei\."):
        read_table(str(path), sheet="Drei")
    source = read_table(str(path), sheet="Zwei")
    check(source, 'sheet_name="Zwei"')
    assert 'usecols="C:F"' in source.body
    assert source.requirements == ("openpyxl>=3.1",)


def workbook(path: Path, rows: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_titles_totals_and_names_in_two_rows_of_an_excel_file(tmp_path):
    pytest.importorskip("openpyxl")
    rows = [["Sales of 2025"], [], ["name", "size"], ["a", 1.5], ["b", 2.5], ["c", "n/a"], ["Total", 4]]
    source = read_table(str(workbook(tmp_path / "titles.xlsx", rows)))
    assert source.frame.iloc[:2].to_dict("list") == {"name": ["a", "b"], "size": [1.5, 2.5]}
    assert "skiprows=2, skipfooter=1" in source.body
    rows = [["name", "size", None], [None, "height", "width"], ["a", 1, 2], ["b", 3, 4]]
    with pytest.raises(DataError, match="Write one name above each column, in one row"):
        read_table(str(workbook(tmp_path / "merged.xlsx", rows)))


def test_parquet_feather_stata_and_json(tmp_path):
    pytest.importorskip("pyarrow")
    more = FRAME.assign(
        group=pd.Categorical(["u", "v", "u"]),
        at=pd.to_datetime(["2025-01-01 10:00", "2025-02-01 11:00", "2025-03-01 12:00"]).tz_localize("Europe/Berlin"),
        price=[Decimal("1.50"), Decimal("2"), None],
        took=pd.to_timedelta([1, 2, 3], unit="h"),
        number=[7, 8, 9],
    )
    more.set_index("number").to_parquet(tmp_path / "a.parquet")
    source = read_table(str(tmp_path / "a.parquet"))
    check(source, "pd.read_parquet(DATA)", took=[3600.0, 7200.0, 10800.0], at_hour=[9, 10, 11], number=[7, 8, 9])
    assert source.frame["price"].dtype == source.frame["größe"].dtype
    assert source.requirements == ("pyarrow>=17",)
    FRAME.to_feather(tmp_path / "a.feather")
    check(read_table(str(tmp_path / "a.feather")), "pd.read_feather(DATA)")
    FRAME.assign(day=FRAME["day"].astype(str)).to_json(tmp_path / "a.json", orient="records")
    check(read_table(str(tmp_path / "a.json")), "pd.read_json(DATA, dtype=False)")
    FRAME.assign(day=FRAME["day"].astype(str)).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    check(read_table(str(tmp_path / "a.jsonl")), "lines=True")
    FRAME.to_stata(tmp_path / "a.dta", write_index=False, version=118)
    check(read_table(str(tmp_path / "a.dta")), "pd.read_stata(DATA)")
    FRAME.assign(tags=[[1], [2], [3]]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"The column 'tags' of .* holds lists; a feature is a number"):
        read_table(str(tmp_path / "b.parquet"))


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip"])
def test_compressed_files(suffix, tmp_path):
    path = tmp_path / f"table.csv.{suffix}"
    FRAME.to_csv(path, index=False)
    check(read_table(str(path)), "pd.read_csv(DATA, dtype=")
    other = path.rename(tmp_path / "table.csv")
    compression = {"gz": "gzip"}.get(suffix, suffix)
    check(read_table(str(other)), f'compression="{compression}"')


def test_queries(tmp_path, monkeypatch):
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        FRAME.to_sql("items", database, index=False)
    query = "select *\nfrom items\norder by größe;"
    for data in (str(path), f"sqlite:///{path}"):
        source = read_table(data, sql=query)
        check(source, "with contextlib.closing(sqlite3.connect(DATA)) as database:")
        assert source.path == path
        assert source.requirements == ()
    odd = path.rename(tmp_path / "shop #1?%41.db")
    check(read_table(str(odd), sql=query), "with contextlib.closing(sqlite3.connect(DATA)) as database:")
    odd.rename(path)
    for option, text in (
        ("sheet", "--sheet is for Excel files; a query is none."),
        ("encoding", "--encoding is for CSV"),
    ):
        with pytest.raises(DataError, match=text):
            read_table(str(path), sql=query, **{option: "no-such"})
    with pytest.raises(DataError, match=r"is a database\. Give the query with --sql"):
        read_table(str(path))
    with pytest.raises(DataError, match="The query failed: no such column: shape"):
        read_table(str(path), sql="select shape from items")
    with pytest.raises(DataError, match="The query returns no rows"):
        read_table(str(path), sql="select * from items where größe > 10")


def test_times_of_summer_and_winter_are_days(tmp_path):
    zones = [dt.timezone(dt.timedelta(hours=1 + i % 2)) for i in range(4)]
    frame = pd.DataFrame({"when": [dt.datetime(2024, 3, 31, 1, 30, tzinfo=zone) for zone in zones], "x": range(4)})
    code = TableCode("read_sql")  # a database answers so
    data = finish(code, frame.astype({"when": object}), "The query")
    assert data["when"].tolist() == [pd.Timestamp("2024-03-31"), pd.Timestamp("2024-03-30")] * 2
    assert data["when_hour"].tolist() == [0, 23] * 2
    assert "time zone" in " ".join(code.notes)


def test_a_database_is_copied_with_what_is_in_its_log(tmp_path):
    path, copy = tmp_path / "shop.db", tmp_path / "copy.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        FRAME.to_sql("items", database, index=False)
        assert content_of(path) == path.read_bytes()
        database.execute("pragma journal_mode = wal")
        FRAME.to_sql("more", database, index=False)
        database.commit()
        copy.write_bytes(content_of(path))
    with contextlib.closing(sqlite3.connect(copy)) as database:
        assert database.execute("select count(*) from more").fetchone() == (len(FRAME),)
        assert database.execute("pragma journal_mode").fetchone() == ("delete",)  # it needs no second file


def test_a_database_is_copied_without_its_collations(tmp_path):
    path, copy = tmp_path / "shop.db", tmp_path / "copy.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.create_collation("own", lambda a, b: (a > b) - (a < b))
        database.execute("pragma journal_mode = wal")
        database.execute("create table items (name text collate own unique)")
        database.execute("insert into items values ('a'), ('b')")
        database.commit()
        copy.write_bytes(content_of(path))
    with contextlib.closing(sqlite3.connect(copy)) as database:
        assert database.execute("select count(*) from items").fetchone() == (2,)


def test_a_database_that_cannot_be_copied_is_one_sentence(tmp_path):
    path = tmp_path / "shop.db"
    path.write_bytes(MAGIC + b"\2\0" + WAL_VERSIONS + bytes(80))
    with pytest.raises(DataError, match="cannot be copied: "):
        content_of(path)


def test_a_database_at_an_address(tmp_path, monkeypatch):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        FRAME.to_sql("items", database, index=False)
    address = f"sqlite+pysqlite:///file:{path}?uri=true"
    monkeypatch.setattr("irislib._project.sql_source.sqlite_file", lambda address: None)
    monkeypatch.setattr("irislib._project.table_source.sqlite_file", lambda address: None)
    monkeypatch.setenv("DATABASE_URL", address)
    source = read_table(address, sql="select * from items")
    check(source, 'pd.read_sql(query, os.environ["DATABASE_URL"])')
    assert source.path is None
    assert source.requirements == ("sqlalchemy>=2",)
    assert source.imports == ("import os",)
    assert str(tmp_path) not in source.body + "".join(source.notes)
    with pytest.raises(DataError, match="This is no address of a database"):
        read_table("nothing://user:secret@host", sql="select 1")
    with pytest.raises(DataError, match="needs the package") as caught:
        read_table("oracle+oracledb://user:secret@host/d", sql="select 1")
    assert "secret" not in str(caught.value)

    def fail(query, engine):
        raise RuntimeError("no access for user:secret")

    engine = sqlalchemy.create_engine("sqlite://")
    monkeypatch.setattr(sqlalchemy, "create_engine", lambda url: engine)
    monkeypatch.setattr(pd, "read_sql", fail)
    with pytest.raises(DataError, match=r"The query failed: no access for user:\*\*\*"):
        read_table("postgresql://user:secret@host/d", sql="select 1")


NAMES = ["Länge", "weight (kg)", "kind", "id", "day", "x_1", "größe", "été"]
WORDS = ["red", "blue", "grün", "a b", "o'clock", "10b", "x;y", "u,v"]


@st.composite
def written_tables(draw):
    """Return the bytes of a table in a random dialect, and its values."""
    sign = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(",."))
    group = draw(st.sampled_from(["", "", "'", " ", "." if decimal == "," else ","]))
    gap = draw(st.sampled_from(["", "NA", "?", "n/a", "-", "keine Angabe"]))
    day = draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=6, unique=True))
    rows = draw(st.integers(4, 20))
    kinds = [draw(st.sampled_from(["number", "integer", "text", "day"])) for _ in names[1:]]
    drawn = {
        "number": st.integers(-9_999_999, 9_999_999).map(lambda value: value / 100),
        "integer": st.integers(-99_999, 99_999),
        "text": st.sampled_from(WORDS),
        "day": st.dates(dt.date(1950, 1, 1), dt.date(2030, 1, 1)),
    }
    columns = [draw(st.lists(st.none() | drawn[kind], min_size=rows, max_size=rows)) for kind in kinds]
    columns = [[0.25 * i for i in range(rows)], *columns]  # which shows the decimal sign, and no row is empty

    def write(value):
        if value is None:
            return gap
        if isinstance(value, dt.date):
            return value.strftime(day)
        if isinstance(value, str):
            return value
        text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        return text.translate({ord(","): group, ord("."): decimal})

    file = io.StringIO()
    writer = csv.writer(file, delimiter=sign, quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    file.write(draw(st.sampled_from(["", "", "A table\n", "A table\n\nof Mr X\n"])))
    writer.writerow(names)
    writer.writerows(zip(*(map(write, column) for column in columns), strict=True))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    return file.getvalue().encode(encoding), dict(zip(names, columns, strict=True))


@settings(max_examples=40 * FUZZ, deadline=None, derandomize=True)
@given(written_tables())
def test_any_dialect_is_read(table):
    content, expected = table
    with tempfile.TemporaryDirectory() as folder:
        frame = read(Path(folder), content).frame
    assert list(frame) == list(expected)
    for name, values in expected.items():
        own = frame[name]
        days = own.dtype.kind == "M"
        texts = [None if pd.isna(value) else value.date() if days else value for value in own]
        assert texts == values or (not any(values) and own.isna().all()), (name, content)


OTHER_FILES = {
    "table.xls": (b"\xd0\xcf\x11\xe0" + b"x" * 600, "Save it as .xlsx without a password, or as CSV."),
    "page.csv": (b"<!DOCTYPE html><html></html>", "is a web page, which is not read."),
    "table.pkl": (b"anything", "is a pickle, which can run any code when it is read, so it is not opened."),
    "pickle.dat": (pickle.dumps(FRAME), "is a pickle"),
    "noise.csv": (bytes(range(256)) * 20, "is no table"),
    "weka.csv": (b"% comment\n@relation x\n", "is an ARFF file of Weka"),
    "lfs.csv": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "broken.xlsx": (b"PK\x03\x04" + b"x" * 100, "cannot be read as a zip file"),
    "a.parquet": (b"PAR1" + b"x" * 100, "cannot be read as Parquet"),
    "a.json": (b'[{"a": 1}, {"a"', "is JSON, but no list of rows"),
    "spss.sav": (b"$FL2@(#) SPSS DATA FILE", "is an SPSS file"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_other_files_get_a_sentence(name, tmp_path):
    content, sentence = OTHER_FILES[name]
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=re.escape(sentence)) as caught:
        read(tmp_path, content, name)
    assert "\n" not in str(caught.value)


def test_a_table_without_a_value_or_a_second_column_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": [None, None], "b": [None, None]}, dtype="float64").to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="names columns but has no rows"):
        read_table(str(tmp_path / "a.parquet"))
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="has one column only, 'a'"):
        read_table(str(tmp_path / "b.parquet"))


def test_archives(tmp_path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=r"holds 2 files: a\.csv, b\.csv"):
        read_table(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[6] |= 1  # the flag of a password
    content[directory + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="is protected with a password"):
        read_table(str(path))


def test_long_cells_are_read_and_what_python_takes_stays(tmp_path):
    before = csv.field_size_limit()
    assert read(tmp_path, f"a,b\n1,{'x' * 2 * before}\n2,y\n").frame.shape == (2, 2)
    assert csv.field_size_limit() == before


def test_a_large_file_is_read_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("irislib._project.table_source.MOST_BYTES", 10)
    source = read(tmp_path, "a,b\n1,2\n3,4\n5,6\n")
    assert source.path is None
    assert str(tmp_path / "table.csv") in source.body


def test_what_is_needed_is_what_irislib_needs():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    known = {text.partition(",")[0] for group in project["optional-dependencies"].values() for text in group}
    assert {"openpyxl>=3.1", "pyarrow>=17", "sqlalchemy>=2"} <= known
