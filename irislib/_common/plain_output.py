"""A process that makes JSON of what a server and its processes write past `logging`.

That is what a library in C prints, what the user's own code prints, and what the interpreter says at its end.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import select
import signal
import sys
import time
from contextlib import suppress
from fcntl import fcntl
from typing import NoReturn

from irislib._common.json_formatter import JsonFormatter

__all__ = ["wrap"]

LEVELS = {"stdout": logging.INFO, "stderr": logging.WARNING}
TOGETHER_SECONDS = 0.05  # lines that come within it are one object, such as those of a traceback
END_SECONDS = 2.0
LONGEST = 1 << 20  # bytes of a line
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux's fcntl.h: a long line of one process is not mixed with others'


def wrap() -> None:
    """Let plain lines of this process and of those that it starts become objects, from now on."""
    sys.stdout.flush()
    sys.stderr.flush()
    targets, pipes = [os.dup(1), os.dup(2)], [os.pipe(), os.pipe()]
    for _, writer in pipes:
        with suppress(OSError):
            fcntl(writer, SET_PIPE_SIZE, LONGEST)
    if not (pid := os.fork()):
        _run([Stream(name, reader, target) for name, (reader, _), target in zip(LEVELS, pipes, targets, strict=True)])
    for number, (reader, writer) in enumerate(pipes, 1):
        os.close(reader)
        os.dup2(writer, number)
        os.close(writer)
    atexit.register(_end, os.getpid(), pid, targets)


def _end(owner: int, pid: int, targets: list[int]) -> None:
    """Wait until all is written: the end of a container's first process ends the others."""
    if os.getpid() != owner:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    for number, target in enumerate(targets, 1):
        os.dup2(target, number)
    end = time.monotonic() + END_SECONDS
    with suppress(ChildProcessError):  # a server that waits for all of its children may have done so
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < end:
            time.sleep(0.01)


class Stream:
    """Lines that are read from a pipe and written to a file.

    Parameters
    ----------
    name : {"stdout", "stderr"}
    source, target : int
    """

    def __init__(self, name: str, source: int, target: int):
        self.name, self.source, self.target = name, source, target
        self.rest = b""
        self.plain: list[bytes] = []

    def read(self) -> bool:
        """Read and write what has come; return False at the end."""
        content = os.read(self.source, LONGEST)
        *lines, self.rest = (self.rest + content).split(b"\n")
        if self.rest and (not content or len(self.rest) > LONGEST):
            lines, self.rest = [*lines, self.rest], b""
        for line in lines:
            if _is_object(line):
                self.flush()
                self.write(line)
            elif line.strip():
                self.plain.append(line)
        if not content:
            self.flush()
        return bool(content)

    def flush(self) -> None:
        """Write the plain lines as one object."""
        if self.plain:
            text = b"\n".join(self.plain).decode(errors="backslashreplace")
            self.plain = []
            record = logging.LogRecord(self.name, LEVELS[self.name], "", 0, "%s", (text,), None)
            self.write(JsonFormatter().format(record).encode())

    def write(self, line: bytes) -> None:
        """Write a line; without a reader it is lost, but nobody waits for it."""
        line += b"\n"
        with suppress(OSError):
            while line:
                line = line[os.write(self.target, line) :]


def _is_object(line: bytes) -> bool:
    if not line.startswith(b'{"time": '):
        return False
    with suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False


def _run(streams: list[Stream]) -> NoReturn:
    """Read until all processes have closed the pipes."""
    try:
        with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as name:
            name.write("irislib-log")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the last to end
        in_use = {0, *(stream.source for stream in streams), *(stream.target for stream in streams)}
        for file in map(int, os.listdir("/proc/self/fd")):
            if file not in in_use:
                with suppress(OSError):
                    os.close(file)
        while streams:
            timeout = TOGETHER_SECONDS if any(stream.plain for stream in streams) else None
            ready, _, _ = select.select([stream.source for stream in streams], [], [], timeout)
            for stream in streams[:]:
                if stream.source not in ready:
                    stream.flush()
                elif not stream.read():
                    streams.remove(stream)
    finally:
        os._exit(0)
