"""Counts that no machine changes: what a request, a page, a click and a tab cost, so that a slip is seen.

The bounds are the counts of the day they were written, with some slack. Where a count was to rise, or has fallen for
good, write what the failure says into the table. They are those of the versions in `constraints.txt`.
"""

from __future__ import annotations

import base64
import gc
import itertools
import json
import struct
import sys
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Server, open_app, wait_until
from test_widgets import request
from werkzeug.test import EnvironBuilder

import irislib
from irislib.api import create_app

SLACK = 1.1
BOUNDS = {
    # calls of functions, Python's own included; of a file, for each of its rows
    "POST: calls": 81,
    "POST: bytecode instructions": 910,  # of Python 3.11 alone
    "POST: bytes of memory at most": 8_715,
    "POST ?details=1: calls": 1_115,
    "CSV: calls a row": 40.8,
    "JSON: calls a row": 42.9,
    "submit: calls": 5_105,
    # the page of the Iris Wizard in a browser, opened for the first time
    "page: requests": 8,
    "page: bytes": 53_400,
    "page: elements": 147,
    "page: elements after every tab": 494,
    # messages by websocket, for each request of the page: one sent, and what comes back
    "messages that answer no request": 0,
    "connect: messages": 4,
    "connect: bytes": 1_610,
    "submit: messages": 4,
    "submit: bytes": 2_924,
    "validate: messages": 4,
    "validate: bytes": 1_553,
    "draw 1: messages": 4,
    "draw 1: bytes": 5_628,
    "columns: messages": 4,
    "columns: bytes": 23_614,
    "draw 2: messages": 4,
    "draw 2: bytes": 528_000,  # at most: a job sends what was not drawn ahead
    "draw 3: messages": 4,
    "draw 3: bytes": 214_234,
}
ROW = {"petal_length_cm": "6.0", "petal_width_cm": "2.5", "sepal_length_cm": "6.3", "sepal_width_cm": "3.3"}
HEAD, LINES = ",".join(ROW) + "\n", "6.0,2.5,6.3,3.3\n5.0,1.5,6.3,3.3\n"
FILES = {
    "CSV": {"data": HEAD + 500 * LINES, "content_type": "text/csv"},
    "JSON": {"data": json.dumps(1000 * [ROW]), "content_type": "application/json"},
}


def check(counts: Mapping[str, float]) -> None:
    """Compare counts with the bounds; what is not in the table costs nothing."""
    slips = [
        f"{name}: {BOUNDS.get(name, 0):,} before, {count:,} now"
        for name, count in counts.items()
        if count > SLACK * BOUNDS.get(name, 0)
    ]
    assert not slips, "More than before. If that is meant, renew BOUNDS in tests/test_counts.py.\n" + "\n".join(slips)


def calls(function: Callable[[], Any]) -> int:
    """Count the calls of functions, those written in C included."""
    counts: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: counts.update([event]))
    try:
        function()
    finally:
        sys.setprofile(None)
    return counts["call"] + counts["c_call"]


def instructions(function: Callable[[], Any]) -> int:
    """Count the instructions of Python's bytecode."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def peak_memory(function: Callable[[], Any]) -> int:
    """Return the most bytes that a call takes at once."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def post(iris: Any) -> Callable[..., Callable[[], None]]:
    """A function that makes the call which posts a request; the first ones have filled all caches."""
    app = create_app([iris]).wsgi_app

    def prepare(path: str, data: Any, content_type: str | None = None) -> Callable[[], None]:
        environs = [
            EnvironBuilder(path, method="POST", data=data, content_type=content_type).get_environ() for _ in range(3)
        ]
        statuses: list[str] = []

        def send() -> None:
            answer = app(environs.pop(), lambda status, headers, exc_info=None: statuses.append(status))
            assert b"virginica" in b"".join(answer)
            assert statuses.pop() == "200 OK"

        send()
        send()
        return send

    return prepare


def test_calls_and_memory_of_requests(post: Callable[..., Callable[[], None]]) -> None:
    counts = {
        "POST: calls": calls(post("/iris-wizard", ROW)),
        "POST: bytes of memory at most": peak_memory(post("/iris-wizard", ROW)),
        "POST ?details=1: calls": calls(post("/iris-wizard?details=1", ROW)),
        **{f"{name}: calls a row": calls(post("/iris-wizard/batch", **file)) / 1000 for name, file in FILES.items()},
    }
    if sys.version_info[:2] == (3, 11):
        counts["POST: bytecode instructions"] = instructions(post("/iris-wizard", ROW))
    check(counts)


def test_requests_leave_nothing_in_memory(post: Callable[..., Callable[[], None]]) -> None:
    def repeat() -> None:
        for _ in range(20):
            post("/iris-wizard", ROW)()

    repeat()
    gc.collect()
    before = sys.getallocatedblocks()
    repeat()
    gc.collect()
    assert sys.getallocatedblocks() - before < 20  # none for each


def test_calls_of_an_answer_on_a_page(iris: Any) -> None:
    page = irislib.app(iris)
    request(page, "submit", values=ROW)
    check({"submit: calls": calls(lambda: request(page, "submit", values=ROW))})


# Keeps what the page sends; the browser's own record of it has no content.
HOOK = """
window.sent = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  const place = sent.push("") - 1;
  new Response(data).arrayBuffer().then((buffer) => (sent[place] = Array.from(new Uint8Array(buffer))));
  return send.call(this, data);
};
"""


def message(data: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return header, parent's header and content of a message of Jupyter's protocol v1."""
    (count,) = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[begin:end] for begin, end in itertools.pairwise(offsets)]
    return json.loads(parts[1]), json.loads(parts[2]), json.loads(parts[4])


class Traffic:
    """Everything that a page loads, sends and receives."""

    def __init__(self, page: Any):
        self.page = page
        self.sizes: list[int] = []
        self.received: dict[str, list[int]] = defaultdict(list)
        self.ended: set[str] = set()
        self.answers = 0
        page.add_init_script(HOOK)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: self.sizes.append(event["encodedDataLength"]))
        session.on("Network.webSocketFrameReceived", self.receive)

    def receive(self, event: dict[str, Any]) -> None:
        data = base64.b64decode(event["response"]["payloadData"])
        header, parent, content = message(data)
        self.received[parent.get("msg_id", "")].append(len(data))
        self.answers += header["msg_type"] == "comm_msg"
        if header["msg_type"] == "status" and content["execution_state"] == "idle":
            self.ended.add(parent.get("msg_id", ""))

    def requests(self) -> dict[str, str]:
        """Return the id of each request that the page has sent, and its name."""
        sent = {}
        for data in filter(None, self.page.evaluate("sent")):
            header, _, content = message(bytes(data))
            query = content["data"]["content"]
            sent[header["msg_id"]] = " ".join(str(query[key]) for key in ("method", "tab") if key in query)
        return sent

    def wait(self, name: str) -> None:
        """Wait until a request and all before it are answered."""

        def is_answered() -> bool:
            requests = self.requests()
            return name in requests.values() and requests.keys() <= self.ended

        def look() -> bool:
            self.page.wait_for_timeout(1)  # events are handled meanwhile
            return is_answered()

        wait_until(look, lambda: self.requests())

    def elements(self) -> int:
        return self.page.evaluate("document.querySelectorAll('*').length")

    def counts(self) -> dict[str, float]:
        """Return the messages and bytes of each sort of request."""
        counts: Counter[str] = Counter()
        for msg_id, name in self.requests().items():
            if name == "step_job":  # as many as a job takes on a machine
                continue
            counts[f"{name}: messages"] += 1 + len(self.received[msg_id])
            counts[f"{name}: bytes"] += sum(self.received[msg_id])
        counts["messages that answer no request"] = self.answers - self.page.evaluate("sent.length")
        return dict(counts)


def test_what_a_page_loads_and_its_messages(page: Any, serve: Server) -> None:
    traffic = Traffic(page)
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    traffic.wait("connect")
    counts = {"page: requests": len(traffic.sizes), "page: bytes": sum(traffic.sizes)}
    counts["page: elements"] = traffic.elements()
    page.get_by_role("textbox", name="Petal length").fill("1.5")
    page.get_by_role("button", name="Abrakadabra").click()
    for name in ("validate", "submit"):
        traffic.wait(name)
    for i, tab in enumerate(page.get_by_role("tab").all()):
        tab.click()
        if 0 < i < 4:
            traffic.wait(f"draw {i}")
    traffic.wait("columns")
    counts["page: elements after every tab"] = traffic.elements()
    check(counts | traffic.counts())
