"""One table of requests, as clients, proxies and scanners send them, that both servers answer alike."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import signal
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import PATIENCE, Server, descendants
from invalid_inputs import GOOD

TOKEN = "a-token"  # noqa: S105
LIMIT = 2_000_000  # bytes of a batch
PROBLEM = "application/problem+json"
JSON = "application/json"
ROW = json.dumps(GOOD).encode()


@dataclass
class Answer:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def detail(self) -> str:
        return json.loads(self.body)["detail"]


class Wire(io.BytesIO):
    """Received bytes, which several responses are read from."""

    def makefile(self, *_: Any) -> Wire:
        return self

    def close(self) -> None:
        pass


def parse(data: bytes) -> list[Answer]:
    """Return all responses in received bytes but 100 Continue, which `http.client` skips."""
    wire, answers = Wire(data), []
    while wire.tell() < len(data):
        response = HTTPResponse(wire)  # type: ignore[arg-type]
        response.begin()
        body = response.read()
        answers.append(Answer(response.status, {k.title(): v for k, v in response.getheaders()}, body))
    return answers


def talk(server: Server, *pieces: bytes, ends: bool = False) -> list[Answer]:
    """Send pieces, wait until the server closes the connection, and return the responses.

    Parameters
    ----------
    ends : bool
        The client sends no more, and lets the server know.
    """
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        for piece in pieces:
            sock.sendall(piece)
        if ends:
            with contextlib.suppress(OSError):  # the server may have closed the connection already
                sock.shutdown(socket.SHUT_WR)
        return parse(b"".join(iter(lambda: sock.recv(65536), b"")))


class Front:
    """One of the servers, with its addresses."""

    def __init__(self, server: Server, base: str):
        self.server, self.base = server, base

    def head(self, path: str = "/iris-wizard", method: str = "POST", version: str = "1.1", /, **headers: Any) -> bytes:
        """Write the head of a request: keywords are headers, with underscores for hyphens, and None for no header."""
        values = {"Host": f"127.0.0.1:{self.server.port}", "Authorization": f"Bearer {TOKEN}"}
        values |= {"Content-Type": JSON, "Connection": "close"}
        values |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path if '//' in path else self.base + path} HTTP/{version}"]
        lines += [f"{name}: {value}" for name, value in values.items() if value is not None]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def send(self, body: bytes = ROW, path: str = "/iris-wizard", method: str = "POST", /, **headers: Any) -> Answer:
        """Send a body with its length, and return the one response."""
        (answer,) = talk(self.server, self.head(path, method, Content_Length=len(body), **headers), body)
        return answer

    def chunked(self, *chunks: bytes, path: str = "/iris-wizard", **headers: Any) -> Answer:
        """Send a body in chunks."""
        (answer,) = talk(self.server, self.head(path, Transfer_Encoding="chunked", **headers), in_chunks(*chunks))
        return answer


def in_chunks(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


@pytest.fixture(scope="module", params=["serve", "api"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    more = {
        "serve": ["--base_url=/x/", "--Pages.warm=False", f"--AppServer.max_batch_bytes={LIMIT}"],
        "api": [f"--max-batch-bytes={LIMIT}"],
    }[request.param]
    server = Server(folder / "log", request.param, *more, IRISLIB_TOKEN=TOKEN)
    base = "/x" if request.param == "serve" else ""
    yield Front(server.wait(f"{base}/readyz"), base)
    assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def check_problem(answer: Answer, status: int, text: str = "") -> None:
    """Check that an answer is a problem in full, for programs."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].partition(";")[0] == PROBLEM, answer
    problem = json.loads(answer.body)
    assert problem["status"] == status
    assert text in problem["detail"], problem["detail"]
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def check_row(answer: Answer) -> None:
    assert (answer.status, answer.body) == (200, b'"virginica"\n'), answer


# --- bodies in every framing ---

FORM = "&".join(f"{name}={value}" for name, value in GOOD.items()).encode()
BATCH = json.dumps([GOOD, GOOD]).encode()
CSV = (",".join(GOOD) + "\n" + ",".join(map(str, GOOD.values())) + "\n").encode()
MULTIPART = "multipart/form-data; boundary=b"
PART = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--b'
PARTS = ("--b\r\n" + "\r\n".join(PART.format(*item) for item in GOOD.items()) + "--\r\n").encode()
BODIES = {
    "json": ("/iris-wizard", ROW, JSON),
    "form": ("/iris-wizard", FORM, "application/x-www-form-urlencoded"),
    "parts": ("/iris-wizard", PARTS, MULTIPART),
    "records": ("/iris-wizard/batch", BATCH, JSON),
    "csv": ("/iris-wizard/batch", CSV, "text/csv"),
    "insight": ("/iris-wizard/insights/contributions", ROW, JSON),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_is_the_same_in_every_framing(front: Front, body: str, encoding: str, framing: str) -> None:
    path, content, mimetype = BODIES[body]
    plain = front.send(content, path, Content_Type=mimetype)
    assert plain.status == 200
    assert plain.body
    headers = {"Content_Type": mimetype, "Content_Encoding": encoding or None}
    if encoding:
        content = zlib.compress(content) if encoding == "deflate" else gzip.compress(content)
    if framing == "length":
        answer = front.send(content, path, **headers)
    else:
        answer = front.chunked(content[:7], content[7:8], content[8:], path=path, **headers)
    assert (answer.status, answer.body) == (200, plain.body)


def test_chunks_may_have_extensions_and_trailers_and_come_one_byte_at_a_time(front: Front) -> None:
    body = b'%x ;a=b;c="d e"\r\n%b\r\n000;e\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n' % (len(ROW), ROW)
    head = front.head(Transfer_Encoding="chunked")
    (answer,) = talk(front.server, head, *(body[i : i + 1] for i in range(len(body))))
    check_row(answer)


@pytest.mark.usefixtures("no_new_worker")
def test_a_body_of_tiny_chunks_ends_no_worker(front: Front) -> None:
    body = ROW + b" " * 150_000
    check_row(front.chunked(*(body[i : i + 1] for i in range(len(body)))))


@pytest.mark.parametrize("size", [b"zz", b"-1", b"0x10", b"", b" ", b"1_0", b"f" * 40, b"+5"])
def test_a_bad_chunk_size_is_400(front: Front, size: bytes) -> None:
    for path in ("/iris-wizard", "/iris-wizard/batch"):
        body = b"2\r\n{}\r\n" + size + b"\r\n" + ROW + b"\r\n0\r\n\r\n"
        (answer,) = talk(front.server, front.head(path, Transfer_Encoding="chunked"), body, ends=True)
        check_problem(answer, 400)


@pytest.mark.parametrize("line", [b"2;" + b"a" * 100_000, b"0" * 100_000 + b"2"])
def test_a_line_of_a_chunk_that_is_too_long_is_400(front: Front, line: bytes) -> None:
    (answer,) = talk(front.server, front.head(Transfer_Encoding="chunked"), line + b"\r\n{}\r\n0\r\n\r\n")
    check_problem(answer, 400)


@pytest.mark.parametrize("body", [b"5\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n"])
def test_a_chunk_of_another_length_is_400(front: Front, body: bytes) -> None:
    (answer,) = talk(front.server, front.head(Transfer_Encoding="chunked"), body, ends=True)
    check_problem(answer, 400)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("framing", ["length", "chunks", "gzip"])
def test_a_body_that_ends_early_is_never_answered_as_whole(front: Front, body: str, framing: str) -> None:
    path, content, mimetype = BODIES[body]
    headers: dict[str, Any] = {"Content_Type": mimetype}
    if framing == "chunks":
        sent = in_chunks(content)[:-5]  # without the last chunk
        headers["Transfer_Encoding"] = "chunked"
    elif framing == "gzip":
        sent = gzip.compress(content)[:-6]
        headers |= {"Content_Encoding": "gzip", "Content_Length": len(sent)}
    else:
        sent = content
        headers["Content_Length"] = len(content) + 5
    (answer,) = talk(front.server, front.head(path, **headers), sent, ends=framing != "gzip")
    check_problem(answer, 400)


# --- what else a request may be ---


def test_http_1_0_knows_no_100_continue(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.server.port), PATIENCE) as sock:
        sock.sendall(front.head("/iris-wizard", "POST", "1.0", Content_Length=len(ROW), Expect="100-continue") + ROW)
        assert sock.recv(65536).split()[1] == b"200"


def test_expect_100_continue(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.server.port), PATIENCE) as sock:
        sock.sendall(front.head(Content_Length=len(ROW), Expect="100-Continue"))
        first = sock.recv(65536)
        assert first.startswith(b"HTTP/1.1 100 ")
        sock.sendall(ROW)
        data = first + b"".join(iter(lambda: sock.recv(65536), b""))
    check_row(parse(data)[-1])


def test_an_absolute_target_is_the_address_itself(front: Front) -> None:
    address = f"http://127.0.0.1:{front.server.port}{front.base}"
    check_row(front.send(ROW, f"{address}/iris-wizard"))
    assert json.loads(front.send(ROW, f"{address}/iris-wizard?details=1").body)["prediction"] == "virginica"
    assert front.send(b"", f"{address}/readyz", "GET").status == 200
    check_problem(front.send(ROW, f"{address}/nothing"), 404)


@pytest.mark.parametrize("host", ["127.0.0.1", None])
def test_http_1_0(front: Front, host: str | None) -> None:
    head = front.head("/iris-wizard", "POST", "1.0", Content_Length=len(ROW), Host=host, Connection=None)
    (answer,) = talk(front.server, head, ROW)
    check_row(answer)
    batch = front.head("/iris-wizard/batch", "POST", "1.0", Content_Length=len(BATCH), Host=host, Connection=None)
    (answer,) = talk(front.server, batch, BATCH)
    assert len(json.loads(answer.body)) == 2


def test_pipelined_requests_are_answered_in_order(front: Front) -> None:
    other = json.dumps(dict.fromkeys(GOOD, 1)).encode()
    first = front.head(Content_Length=len(ROW), Connection=None) + ROW
    second = front.head("/iris-wizard", "POST", Transfer_Encoding="chunked", Connection=None) + in_chunks(other)
    third = front.head("/readyz", "GET", Connection="close")
    answers = talk(front.server, first + second + third)
    check_row(answers[0])
    assert answers[1].body == b'"versicolor"\n'
    assert json.loads(answers[2].body)["status"] == "ready"


CHUNKED = b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
SILENT = {
    "idle": b"",
    "a head that does not end": b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\n",
    "a body that does not come": b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n{",
    "chunks that do not come": CHUNKED + b"5\r\n[",
    "a chunk size that does not end": CHUNKED + b"5",
    "a body that was asked for": b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n"
    b"Expect: 100-continue\r\n\r\n",
    "a token and no body": b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a-token\r\n"
    b"Content-Length: 60\r\n\r\n{",
}


@pytest.mark.parametrize("case", SILENT)
def test_200_silent_connections_stop_nobody(front: Front, case: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", front.server.port), PATIENCE))
            sock.sendall(SILENT[case])
        for path, body in (("/iris-wizard", ROW), ("/iris-wizard/batch", BATCH)):
            assert front.send(body, path).status == 200
        assert front.send(b"", "/readyz", "GET").status == 200
        for path in ("/iris-wizard", "/iris-wizard/batch"):
            assert front.chunked(BATCH if "batch" in path else ROW, path=path).status == 200


@pytest.fixture
def no_new_worker(front: Front) -> Iterator[None]:
    """Check that no worker of Gunicorn's has ended: another one would begin."""
    yield
    check_row(front.send())
    assert front.server.text().count("Booting worker") == (0 if front.base else 1), front.server.text()


def pause(front: Front, signal_: signal.Signals) -> None:
    """Stop the processes of a server, or let them go on."""
    for pid in (front.server.process.pid, *descendants(front.server.process.pid)):
        os.kill(pid, signal_)


def reset(sock: socket.socket) -> None:
    """Close a connection as a program does that is killed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answered(front: Front, stack: contextlib.ExitStack) -> socket.socket:
    """Return a connection whose first request has been answered."""
    sock = stack.enter_context(socket.create_connection(("127.0.0.1", front.server.port), PATIENCE))
    sock.sendall(front.head(Content_Length=len(ROW), Connection=None) + ROW)
    data = b""
    while not data.endswith(b'"virginica"\n'):
        data += sock.recv(65536)
    return sock


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("expect", ["100-continue", None])
@pytest.mark.usefixtures("no_new_worker")
def test_a_client_that_resets_its_connection_takes_no_other_along(
    front: Front, expect: str | None, is_open: bool
) -> None:
    with contextlib.ExitStack() as stack:
        socks = [answered(front, stack) for _ in range(3)] if is_open else []
        pause(front, signal.SIGSTOP)  # so that the request and the end of its connection are there at once
        try:
            socks = socks or [socket.create_connection(("127.0.0.1", front.server.port), PATIENCE) for _ in range(3)]
            for sock, path in zip(socks, ("/iris-wizard", "/iris-wizard/batch", "/readyz"), strict=True):
                sock.sendall(front.head(path, Content_Length=10, Expect=expect))
                reset(sock)
        finally:
            pause(front, signal.SIGCONT)


def test_a_request_on_an_open_connection_may_take_longer_than_the_next_one_to_begin(front: Front) -> None:
    if front.base:
        pytest.skip("Tornado waits as long for the one as for the other.")
    with contextlib.ExitStack() as stack:
        slow, idle = answered(front, stack), answered(front, stack)
        slow.sendall(front.head(Content_Length=len(ROW)))
        assert idle.recv(65536) == b""  # its time is over
        slow.sendall(ROW)
        (answer,) = parse(b"".join(iter(lambda: slow.recv(65536), b"")))
        check_row(answer)


@pytest.mark.usefixtures("no_new_worker")
def test_a_client_that_reads_no_answers_stops_nobody_and_gets_all_of_them_late(front: Front) -> None:
    rows = [json.dumps(dict.fromkeys(GOOD, value)).encode() for value in (1, 9)]
    expected = [front.send(row).body for row in rows]
    requests = [front.head(Content_Length=len(row), Connection=None) + row for row in rows]
    data, position, n_sent, n_unread = memoryview(b"".join(requests) * 50), 0, 0, 0
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # as little as the server's buffer can be
        sock.connect(("127.0.0.1", front.server.port))
        sock.setblocking(False)
        while n_unread < 150:  # times in which the server has read nothing more
            n_unread += 1
            with contextlib.suppress(BlockingIOError):
                sent = sock.send(data[position:])
                n_sent, position, n_unread = n_sent + sent, (position + sent) % len(data), 0
            check_row(front.send())
        sock.settimeout(PATIENCE)
        rest = bytes(data[position:]) + front.head("/readyz", "GET")
        sender = threading.Thread(target=sock.sendall, args=[rest])
        sender.start()
        *answers, last = parse(b"".join(iter(lambda: sock.recv(65536), b"")))
        sender.join()
    assert last.status == 200
    count = 100 * ((n_sent + len(data) - position) // len(data))
    is_whole = [answer.body for answer in answers] == expected * (count // 2)
    assert is_whole, count  # without a comparison of many thousands in the report


@pytest.mark.usefixtures("no_new_worker")
def test_a_thousand_pipelined_requests_are_answered(front: Front) -> None:
    short = b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n"
    answers = talk(front.server, short * 1000 + front.head("/readyz", "GET"))
    refused = 405 if front.base else 401
    assert Counter(answer.status for answer in answers) == {refused: 1000, 200: 1}


def test_a_name_twice_in_a_row_is_refused_as_in_a_batch(front: Front) -> None:
    twice = ROW[:-1] + b', "petal_width_cm": 1}'
    refused = front.send(twice)
    check_problem(refused, 422, "petal_width_cm was given more than once.")
    (error,) = json.loads(refused.body)["errors"]
    (row,) = json.loads(front.send(b"[" + twice + b"]", "/iris-wizard/batch").body)
    assert {**error, "pointer": "#/0/petal_width_cm"} == row["errors"][0]
    check_problem(front.send(twice, "/iris-wizard?details=1"), 422)
    check_problem(front.send(twice, "/iris-wizard/insights/contributions"), 422)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(("path", "body"), [("/iris-wizard", ROW), ("/iris-wizard/batch", BATCH)])
def test_json_in_another_unicode_encoding(front: Front, encoding: str, path: str, body: bytes) -> None:
    answer = front.send(body.decode().encode(encoding), path)
    assert (answer.status, answer.body) == (200, front.send(body, path).body)


@pytest.mark.parametrize("path", ["/iris-wizard", "/iris-wizard/batch"])
def test_json_that_is_no_text(front: Front, path: str) -> None:
    for body in (b'{"a": "\xff"}', b"\xff\xfe{", b'{"a": "\xed\xa0\x80"}', b"\x00"):
        check_problem(front.send(body, path), 400, "The body is not JSON")


def test_a_long_answer_is_sent_in_chunks_or_whole_to_http_1_0(front: Front) -> None:
    body = CSV + CSV.splitlines(keepends=True)[1] * 20_000
    answer = front.send(body, "/iris-wizard/batch", Content_Type="text/csv")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert len(answer.body.splitlines()) == 20_002
    head = front.head("/iris-wizard/batch", "POST", "1.0", Content_Length=len(body), Content_Type="text/csv")
    (old,) = talk(front.server, head, body)
    assert old.body == answer.body


# --- too much ---


def send_spaces(front: Front, framing: str, size: int, path: str, mimetype: str) -> Answer:
    pieces = [b" " * 500_000] * (size // 500_000) + [b" " * (size % 500_000)]
    headers: dict[str, Any] = {"Content_Type": mimetype}
    if "gzip" in framing:
        pieces, headers["Content_Encoding"] = [gzip.compress(b"".join(pieces))], "gzip"
    if "chunks" in framing:
        return front.chunked(*pieces, path=path, **headers)
    return front.send(b"".join(pieces), path, **headers)


@pytest.mark.parametrize("framing", ["length", "chunks", "gzip", "gzip in chunks"])
def test_a_body_over_the_limit_is_413_in_every_framing(front: Front, framing: str) -> None:
    form = "application/x-www-form-urlencoded"
    for kind in (JSON, form):
        check_problem(send_spaces(front, framing, 1_000_500, "/iris-wizard", kind), 413, "larger than 1,000,000 bytes")
    for kind in (JSON, "text/csv"):
        answer = send_spaces(front, framing, LIMIT + 500, "/iris-wizard/batch", kind)
        check_problem(answer, 413, f"larger than {LIMIT:,} bytes")


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("path", ["/login", "/voila/static/x", "/api/kernels/x", "/healthz"])
def test_no_address_holds_a_body_that_it_does_not_read(front: Front, path: str, framing: str) -> None:
    answer = send_spaces(front, framing, 3_000_000, path, JSON)
    if front.base:  # the server of pages, which would hold all of it until it answers
        check_problem(answer, 413, "larger than 1,000,000 bytes")
        frame = {"Content_Length": 3_000_000} if framing == "length" else {"Transfer_Encoding": "chunked"}
        body = b" " * 3_000_000
        [read] = talk(
            front.server, front.head("/healthz", "GET", **frame), body if framing == "length" else in_chunks(body)
        )
        assert read.status == 200  # the body of a GET is of no meaning
    else:
        check_problem(answer, 405 if path == "/healthz" else 404)


def test_a_small_body_that_unpacks_without_end_is_413(front: Front) -> None:
    bomb = gzip.compress(b" " * 50_000_000, 9)
    assert len(bomb) < 1_000_000
    for path in ("/iris-wizard", "/iris-wizard/batch"):
        check_problem(front.send(bomb, path, Content_Encoding="gzip"), 413)


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "no-such"])
def test_an_unknown_content_encoding_is_415(front: Front, encoding: str) -> None:
    for path in ("/iris-wizard", "/iris-wizard/batch"):
        answer = front.send(ROW, path, Content_Encoding=encoding)
        check_problem(answer, 415, f"Content-Encoding {encoding}")
        assert "gzip" in answer.headers["Accept-Encoding"]


def test_what_is_no_gzip_is_400(front: Front) -> None:
    for path in ("/iris-wizard", "/iris-wizard/batch"):
        check_problem(front.send(ROW, path, Content_Encoding="gzip"), 400, "Content-Encoding")
        damaged = bytearray(gzip.compress(ROW))
        damaged[-5] ^= 1  # in its checksum
        check_problem(front.send(bytes(damaged), path, Content_Encoding="gzip"), 400, "Content-Encoding")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_target_that_is_too_long_is_414(front: Front, method: str) -> None:
    for size in (9_000, 200_000):
        head = front.head(f"/iris-wizard?{'a' * size}", method, Content_Length=0)
        (answer,) = talk(front.server, head)
        check_problem(answer, 414)


def test_headers_that_are_too_large_are_431(front: Front) -> None:
    for headers in ({"X_A": "a" * 9000}, {"X_A": "a" * 200_000}, {f"X_{i}": "a" for i in range(200)}):
        (answer,) = talk(front.server, front.head("/readyz", "GET", **headers))
        check_problem(answer, 431)
    check_row(front.send(ROW, X_A="a" * 8000))


POST = b"POST /iris-wizard HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a-token\r\n"
BAD_HEADS = {
    "no version": b"POST /iris-wizard\r\nHost: a\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "another version": b"POST /iris-wizard HTTP/3.7\r\nHost: a\r\n\r\n",
    "two hosts": POST + b"Host: b\r\nContent-Length: 0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "two framings": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length that is no number": POST + b"Content-Length: two\r\n\r\n{}",
    "a header without a colon": POST + b"nonsense\r\n\r\n",
    "a name with a space": POST + b"Content-Length : 0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /iris-wizard HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("head", BAD_HEADS)
def test_what_is_not_http_is_400(front: Front, head: str) -> None:
    (answer,) = talk(front.server, BAD_HEADS[head])
    check_problem(answer, 400)


def test_an_unknown_transfer_coding_is_refused(front: Front) -> None:
    for coding in ("gzip, chunked", "nonsense", "identity", ""):
        (answer,) = talk(front.server, front.head(Transfer_Encoding=coding, Content_Length=len(ROW)), ROW)
        assert answer.status in (400, 501)
        check_problem(answer, answer.status)


# --- other addresses ---


ELSEWHERE = ["/iris-wizard/", "/iris-wizard%00", "/%00", "/iris-wizard/batch/"]
ELSEWHERE += ["/iris-wizard/insights/nothing", "/nothing", "/nothing/batch", "/iris-wizard%2Fnothing"]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_post_elsewhere_is_404(front: Front, path: str) -> None:
    check_problem(front.send(ROW, path), 404)


def test_a_post_outside_the_base_url_is_404(front: Front) -> None:
    for path in ("/", "/iris-wizard", "/y/iris-wizard") if front.base else ():
        check_problem(front.send(ROW, f"http://127.0.0.1:{front.server.port}{path}"), 404)


def test_a_program_gets_no_page_for_an_error(front: Front) -> None:
    for path in ("/iris-wizard%00", "/nothing/at/all"):
        check_problem(front.send(b"", path, "GET", Accept=JSON), 404)


# --- refusals that come early ---

EARLY = {
    "no token": ("/iris-wizard", 401, {"Authorization": None}),
    "no token for a batch": ("/iris-wizard/batch", 401, {"Authorization": None}),
    "no such model": ("/nothing", 404, {}),
    "no such batch": ("/nothing/batch", 404, {}),
    "a method": ("/iris-wizard/schema", 405, {}),
    "a length": ("/iris-wizard", 413, {}),
    "the length of a batch": ("/iris-wizard/batch", 413, {}),
    "a type": ("/iris-wizard/batch", 415, {"Content_Type": "text/plain"}),
}


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("case", EARLY)
def test_an_early_refusal_reaches_a_client_that_still_sends(front: Front, case: str, framing: str) -> None:
    path, status, headers = EARLY[case]
    size = 1_800_000 if status == 415 else 6_000_000
    frame = {"Content_Length": size} if framing == "length" else {"Transfer_Encoding": "chunked"}
    head = front.head(path, **frame, **headers)
    pieces = [b" " * 60_000] * (size // 60_000)
    body = b"".join(pieces) if framing == "length" else in_chunks(*pieces)
    failures: list[Exception] = []

    def send(sock: socket.socket) -> None:
        try:
            for start in range(0, len(body), 100_000):
                sock.sendall(body[start : start + 100_000])
        except OSError as error:
            failures.append(error)

    for _ in range(5):
        with socket.create_connection(("127.0.0.1", front.server.port), PATIENCE) as sock:
            sock.sendall(head)
            sender = threading.Thread(target=send, args=[sock])
            sender.start()
            sender.join()  # as many clients do: they read no answer before they have sent it all
            (answer,) = parse(b"".join(iter(lambda: sock.recv(65536), b"")))
        assert not failures
        check_problem(answer, status)


# --- the document ---

REAL = {
    ("/iris-wizard", "post"): [
        ROW, FORM, b"{", b"[]", b"{}", b'{"a": 1}', b" " * 1_000_001, b"\xff",
        json.dumps({**GOOD, "petal_width_cm": "x"}).encode(),
        json.dumps({**GOOD, "petal_width_cm": 29}).encode(),  # outside the training data
        json.dumps({**GOOD, "petal_width_cm": 0.1}).encode(),  # an unusual combination
    ],
    ("/iris-wizard/batch", "post"): [
        BATCH, CSV, b"[]", b"{", b"5", b"[{}, 5, null]", json.dumps({name: [1, "x", None] for name in GOOD}).encode(),
        json.dumps([{**GOOD, "petal_width_cm": value} for value in (0.1, 29, "x")]).encode(), b" " * (LIMIT + 1),
    ],
    ("/iris-wizard/insights/contributions", "post"): [ROW, b"{}", b"{"],
    **{(path, "get"): [b""] for path in (
        "/iris-wizard/schema", "/iris-wizard/card", "/iris-wizard/insights", "/iris-wizard/insights/roc_curve",
        "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics",
    )},
}  # fmt: skip
VARIANTS: list[dict[str, Any]] = [
    {},
    {"Authorization": None},
    {"Content_Type": "application/x-www-form-urlencoded"},
    {"Content_Type": "text/csv"},
    {"Content_Type": "text/plain"},
    {"Content_Encoding": "gzip"},
    {"Content_Encoding": "br"},
    {"X_A": "a" * 9000},
    {"Content_Length": 10_000_000},
]


def test_real_answers_of_every_kind_are_in_the_document(front: Front) -> None:
    document = json.loads(front.send(b"", "/openapi.json", "GET").body)
    statuses = set()
    for (path, method), bodies in REAL.items():
        described = document["paths"][path][method]["responses"]
        for body in bodies:
            for variant in VARIANTS:
                for query in ("", "?details=1", "?details=x") if path == "/iris-wizard" else ("",):
                    head = front.head(path + query, method.upper(), **{"Content_Length": len(body), **variant})
                    for answer in talk(front.server, head, body, ends="Content_Length" in variant):
                        check_described(document, described, answer)
                        statuses.add(answer.status)
    assert statuses == {200, 400, 401, 413, 415, 422, 431}


def check_described(document: dict[str, Any], described: dict[str, Any], answer: Answer) -> None:
    """Check the status, the type, the headers and the body of a real answer."""

    def at(part: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in part:
            return part
        target: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return dict(target)

    assert str(answer.status) in described, answer
    response = at(described[str(answer.status)])
    mimetype = answer.headers["Content-Type"].partition(";")[0]
    assert mimetype in response["content"], answer
    for name, header in response.get("headers", {}).items():
        if at(header).get("required"):
            assert name.title() in answer.headers, answer
    if mimetype.endswith("json"):
        schema = {**response["content"][mimetype]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(json.loads(answer.body))
