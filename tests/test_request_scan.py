"""Requests of `irislib api` as they arrive: where each ends, who answers it, and how its bytes are read again."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import NoMoreData

from irislib._serving.request_scan import MAX_BUFFERED_BYTES, SHORT_BYTES, RequestScan, RequestUnreader


def head(path: str = "/iris-wizard", method: str = "POST", **fields: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: a", *(f"{name.replace('_', '-')}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode()


def answering(request: bytes) -> str:
    """Return who answers a request; empty if it has not arrived."""
    scan = RequestScan()
    for start in range(0, len(request), 65_536):
        scan.feed(request[start : start + 65_536])
    if not scan.is_complete:
        return ""
    return "event loop" if scan.is_short else "monitoring" if scan.is_monitoring else "threads"


BODY, LARGE = b"{}", b"x" * SHORT_BYTES
CHUNKS = head(Transfer_Encoding="chunked")
REQUESTS = {
    "a row": (head(Content_Length=2) + BODY, "event loop"),
    "a row with its query": (head("/iris-wizard?details=1", Content_Length=2) + BODY, "event loop"),
    "a row in chunks": (CHUNKS + b"2\r\n{}\r\n0\r\n\r\n", "event loop"),
    "a row with trailers": (CHUNKS + b"2\r\n{}\r\n0\r\nX: 1\r\n\r\n", "event loop"),
    "a row and what follows it": (head(Content_Length=2) + BODY + LARGE, "event loop"),
    "a large row": (head(Content_Length=len(LARGE)) + LARGE, "threads"),
    "a large row in chunks": (CHUNKS + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE), "threads"),
    "large trailers": (CHUNKS + b"0\r\nX: " + LARGE + b"\r\n\r\n", "threads"),
    "a batch": (head("/iris-wizard/batch", Content_Length=2) + BODY, "threads"),
    "the encoded path of a batch": (head("/iris-wizard%2Fbatch", Content_Length=2) + BODY, "threads"),
    "a document": (head("/openapi.json", "GET"), "threads"),
    "more than is buffered": (head(Content_Length=MAX_BUFFERED_BYTES), "threads"),
    "a probe": (head("/readyz", "GET"), "monitoring"),
    "a scrape": (head("/metrics", "GET"), "monitoring"),
    "a probe with a large body": (head("/readyz", "GET", Content_Length=MAX_BUFFERED_BYTES), "threads"),
    "half a row": (head(Content_Length=2) + b"{", ""),
    "half a row whose length has many zeros": (head(Content_Length=f"{10:020}") + BODY, ""),
    "a row whose length has too many zeros": (head(Content_Length=f"{2:05000}") + BODY, "event loop"),
    "a length without an end": (head(Content_Length="1" * 20) + BODY, "threads"),
    "a length that is no number": (head(Content_Length="-2") + BODY, "threads"),
    "half of the trailers": (CHUNKS + b"0\r\nX: 1\r\n", ""),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_who_answers_a_request(case: str) -> None:
    request, expected = REQUESTS[case]
    assert answering(request) == expected


def test_trailers_are_searched_for_their_end_once() -> None:
    scan = RequestScan()
    scan.feed(CHUNKS + b"0\r\nX: ")
    for _ in range(100):
        scan.feed(b"a" * 1000)
        assert scan.position > len(scan.data) - 10
    scan.feed(b"\r")
    scan.feed(b"\n\r")
    assert not scan.is_complete
    scan.feed(b"\n")
    assert scan.is_complete


def test_the_parser_copies_no_whole_body_for_each_of_its_chunks() -> None:
    count = 20_000
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"1\r\nb\r\n0\r\n\r\nnext")  # what has not been received yet
        unreader = RequestUnreader(server, b"1\r\na\r\n" * count)
        largest = 0
        read = unreader.read

        def measured(*args: Any, **kwargs: Any) -> bytes:
            nonlocal largest
            piece = read(*args, **kwargs)
            largest = max(largest, len(piece))
            return piece

        unreader.read = measured
        assert ChunkedReader(None, unreader).read(count + 9) == b"a" * count + b"b"
        assert largest <= 8192
        assert unreader.take_buffered() == b"next"
        assert unreader.take_buffered() == b""


def test_what_has_been_received_and_not_read_is_the_next_request() -> None:
    unreader = RequestUnreader(None, b"a" * 20_000)
    assert len(unreader.read()) == 8192
    unreader.unread(b"b")
    assert unreader.take_buffered() == b"b" + b"a" * (20_000 - 8192)
    assert unreader.received == b""  # for as long as the connection is idle


def test_nobody_waits_beyond_the_end_of_a_complete_request() -> None:
    client, server = socket.socketpair()
    with client, server:
        server.settimeout(0)  # so that a wait is an error
        unreader = RequestUnreader(server, BODY, is_complete=True)
        with pytest.raises(NoMoreData):
            LengthReader(unreader, 10).read(10)
