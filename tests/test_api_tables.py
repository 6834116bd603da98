"""Batches of Excel and Parquet files, and clients that leave in the middle of a batch."""

from __future__ import annotations

import csv
import importlib.util
import io
import socket
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from test_written_tables import workbook

from irislib._modeling import table_files
from irislib._modeling.table_files import KINDS
from irislib.api import Options, _batch, create_app
from irislib.widgets import _csv_tab

XLSX, PARQUET = (kind.mimetypes[0] for kind in KINDS)
HEAD = ["petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"]
FLOWER = [6.0, 2.5, 6.3, 3.3]


@pytest.fixture(scope="module")
def client(iris) -> Any:
    return create_app([iris], options=Options(batch_rows=100)).test_client()


def post(client: Any, content: bytes, mimetype: str) -> Any:
    return client.post("/iris-wizard/batch", data=content, content_type=mimetype)


def parquet(frame: pd.DataFrame) -> bytes:
    pytest.importorskip("pyarrow")
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def predictions(response: Any) -> list[str]:
    assert (response.status_code, response.mimetype) == (200, "text/csv"), response.text
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    return [row["predicted_species"] for row in rows]


@pytest.mark.parametrize("mimetype", [XLSX, PARQUET])
def test_an_excel_file_is_answered_as_csv_and_its_sheet_is_named(client, mimetype: str) -> None:
    """Generated clients may not tell the two types from each other."""
    file = workbook(**{"Notes": [["Read me"]], "Blüten 1": [["Flowers"], HEAD, FLOWER, [1.4, 0.2, 5.1, 3.5]]})
    response = post(client, file, mimetype)
    assert predictions(response) == ["virginica", "setosa"]
    assert unquote(response.headers["X-Sheet"]) == "Blüten 1"


def test_a_parquet_file_is_answered_as_csv(client) -> None:
    for mimetype in KINDS[1].mimetypes:
        response = post(client, parquet(pd.DataFrame([FLOWER] * 3, columns=HEAD).assign(note="x")), mimetype)
        assert predictions(response) == ["virginica"] * 3
        assert "X-Sheet" not in response.headers


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_file_without_its_reader_is_415_and_names_the_extra(client, iris, kind, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == kind.reader else find(name, *rest)
    )
    response = post(client, kind.magic + b"...", kind.mimetypes[0])
    assert response.status_code == 415
    assert f"{kind.name} files are not taken here" in response.json["detail"]
    assert "irislib[tables]" in response.json["detail"]
    operation = client.get("/openapi.json").json["paths"]["/iris-wizard/batch"]["post"]
    assert kind.mimetypes[0] not in operation["requestBody"]["content"]
    assert kind.title not in operation["description"]
    assert kind.title not in _csv_tab.kinds_text()


def test_the_document_and_the_page_name_the_kinds_that_are_taken(client) -> None:
    pytest.importorskip("openpyxl")
    pytest.importorskip("pyarrow")
    operation = client.get("/openapi.json").json["paths"]["/iris-wizard/batch"]["post"]
    assert {XLSX, PARQUET} <= set(operation["requestBody"]["content"])
    assert "X-Sheet" in operation["responses"]["200"]["headers"]
    assert f"Excel (.xlsx) as `{XLSX}`, Parquet as `{PARQUET}`" in operation["description"]
    assert _csv_tab.kinds_text() == "CSV, Excel (.xlsx) or Parquet"


def test_a_file_that_cannot_be_used_is_explained(client) -> None:
    for content, status, reason in (
        (b"a,b\n1,2\n", 422, "The body is no Excel file, as its Content-Type says."),
        (workbook(A=[HEAD, FLOWER])[:-200], 422, "This Excel file cannot be read"),
        (workbook(A=[["a"], [1]]), 422, "The file lacks the column petal_length_cm"),
        (workbook(A=[HEAD, *[FLOWER] * 101]), 413, "more than 100 rows"),
    ):
        response = post(client, content, XLSX)
        assert response.status_code == status, response.text
        assert reason in response.json["detail"] + str(response.json.get("errors"))


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(iris) -> None:
    limit = 20_000
    client = create_app([iris], options=Options(batch_bytes=limit)).test_client()
    repeated = pd.DataFrame([FLOWER] * 50, columns=HEAD).assign(note="x" * 10_000)  # 500 kB in a few
    for content, mimetype in (
        (workbook(A=[HEAD, *([*FLOWER, "x" * 10_000] for _ in range(50))]), XLSX),
        (workbook(A=[HEAD, *(FLOWER for _ in range(900))]), XLSX),
        (parquet(repeated), PARQUET),
        (parquet(pd.DataFrame([FLOWER], columns=HEAD).assign(note=[[0] * 20_000])), PARQUET),
    ):
        assert len(content) < limit
        response = post(client, content, mimetype)
        assert response.status_code == 422, response.text
        assert "when it is unpacked" in response.json["detail"] + str(response.json["errors"])
    assert post(client, b"PK\x03\x04".ljust(limit + 1), XLSX).status_code == 413


def test_a_text_that_is_repeated_in_a_parquet_file_is_read_once() -> None:
    content = parquet(pd.DataFrame({"text": ["x" * 100_000] * 4_000 + [None]}))  # 400 MB in 100 kB
    rows = list(table_files._read_parquet(content, 10_000_000))
    assert len({id(text) for (text,) in rows[1:4_001]}) == 1
    assert rows[-1] == (None,)


def test_the_work_on_a_batch_ends_when_its_client_leaves(iris, monkeypatch) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 10)
    server, visitor = socket.socketpair()
    chunks = []

    def predict_many(*args: Any) -> Any:
        chunks.append(1)
        if len(chunks) == 3:
            visitor.close()
        return original(*args)

    original = _batch.many_rows.predict_many
    monkeypatch.setattr(_batch.many_rows, "predict_many", predict_many)
    text = "\n".join([",".join(HEAD), *[",".join(map(str, FLOWER))] * 1000])
    environ = {"gunicorn.socket": server}
    client = create_app([iris]).test_client()
    with server:
        response = client.post("/iris-wizard/batch", data=text, content_type="text/csv", environ_overrides=environ)
        with pytest.raises(BrokenPipeError):
            response.get_data()
    assert len(chunks) == 3
