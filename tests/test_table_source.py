"""Tables as messy as people's files are: what is read, the code that reads it again, and what is said."""

import re
from pathlib import Path

import pandas as pd
import pytest

from irislib._project.table_source import TableSource, read_table
from irislib.errors import DataError


def evaluate(source: TableSource) -> pd.DataFrame:
    """Run the code as a function of somebody's own module."""
    body = "\n".join(f"    {line}" for line in source.body.splitlines())
    names: dict[str, object] = {}
    exec("\n".join(["import pandas as pd", *source.imports, f"def load_data():\n{body}"]), names)  # noqa: S102
    names["DATA"] = source.path
    return names["load_data"]()


def read(folder: Path, content: str | bytes, name: str = "table.csv", encoding: str = "utf-8") -> TableSource:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    source = read_table(str(path))
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
        "prix: numbers written with other signs",
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
        'data["share"].str.replace("%", "")',
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


REFUSED = {
    "empty": ("", "is empty. Give a file with a line of names"),
    "blank": ("\n\n", "is empty."),
    "header only": ("a,b\n", "names columns but has no rows below them"),
    "one column": ("a\n1\n2\n", "has one column only, 'a'"),
    "too many values": ("a,b\n1,2\n1,2,3\n", "Line 3 of {path} has 3 values for 2 columns"),
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
    with pytest.raises(DataError, match="Download the file first"):
        read_table("https://example.org/churn.csv")
