"""``python -m irislib.healthcheck``: is the container's server alive, at whichever port it was given?"""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

__all__ = ["address"]


def address(command: Sequence[str]) -> str:
    """Where a server listens that was started by this command line."""
    host, port = os.environ.get("IRISLIB_HOST", ""), os.environ.get("IRISLIB_PORT", "5000")
    words = [part for word in command for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for option, value in pairwise(words):
        if option == "--port":
            port = value
        elif option in ("--host", "--ip"):
            host = value
        elif option in ("-b", "--bind"):
            host, _, port = value.rpartition(":")
    return f"http://{host if host not in ('', '0.0.0.0', '[::]', '::') else '127.0.0.1'}:{port}/healthz"  # noqa: S104


if __name__ == "__main__":
    command = Path("/proc/1/cmdline").read_text(encoding="utf-8").split("\0")
    try:
        with urllib.request.urlopen(address(command), timeout=5) as response:  # noqa: S310 - always http
            sys.exit(response.status != 200)
    except OSError as error:
        sys.exit(f"{address(command)}: {error}")
