"""Training on a Dask cluster: a real scheduler with two real workers, as processes."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("distributed")

from irislib._distributed import cluster as clusters
from irislib.errors import IrislibError


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 0.5)


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of what takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("localhost", "'localhost' is no address of a Dask scheduler, such as tcp://10.0.0.5:8786 or tls://…: missing"),
        ("http://localhost:80", "'http://localhost:80' is no address of a Dask scheduler"),
        ("tls://127.0.0.1:1", "There is no TLS certificate for tls://127.0.0.1:1: set distributed.comm.tls in Dask's"),
        ("tcp://127.0.0.1:1", "No Dask scheduler answers at tcp://127.0.0.1:1 within 0 seconds: "),
    ],
)
def test_an_address_where_no_scheduler_is_gets_a_sentence(impatient: None, address: str, sentence: str) -> None:
    with pytest.raises(IrislibError, match=f"^{re.escape(sentence)}"), clusters.connect(address):
        pass


def test_something_else_at_the_address_is_not_waited_for(impatient: None, mute: str) -> None:
    with pytest.raises(IrislibError, match=f"^No Dask scheduler answers at {mute} "), clusters.connect(mute):
        pass
