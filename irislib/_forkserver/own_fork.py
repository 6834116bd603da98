"""The main template process as a fork of its server: what both need is imported once, and its memory is shared.

The fork comes before the server reads its options or starts a thread. Where it cannot be made, the process is a new
program instead, which imports everything itself: see :func:`irislib._forkserver.template_process.start_process`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import re
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from irislib._common.settings import secret_variables
from irislib._forkserver import server
from irislib._forkserver.generators import unseeded_generators
from irislib._forkserver.process import ChildProcess
from irislib._forkserver.threads import has_threads, importing_single_threaded, use_one_arena, use_one_thread

__all__ = ["become_template", "fork_process", "import_shared", "may_hold_secret", "memory_areas"]

# Not matplotlib, whose backend depends on the environment; nothing of IPython, which a server has no need of.
SHARED = ("irislib._common.quick_imports", "tornado.web", "tornado.platform.asyncio", "jupyter_client.session",
          "sklearn.ensemble", "pandas", "irislib.insights", "irislib._modeling.registry",
          "irislib._modeling.many_rows", "irislib._modeling.csv_layout", "irislib._modeling.csv_predictions",
          "irislib._modeling.csv_results")  # fmt: skip
SECRET_OPTION = re.compile("token(?!.file)|passw|secret|key", re.IGNORECASE)


def may_hold_secret(arguments: Sequence[str]) -> bool:
    """Return True if a command line may hold a secret, which a fork of its process would have in its memory."""
    return any(map(SECRET_OPTION.search, arguments))


def import_shared() -> bool:
    """Import what a server and its template process need; return True if this process can be forked then."""
    with importing_single_threaded():
        for name in SHARED:
            with contextlib.suppress(Exception):  # whoever needs it imports it again, and reports why that fails
                importlib.import_module(name)
    return not has_threads() and "ipykernel" not in sys.modules and memory_areas() is not None


def memory_areas() -> tuple[int, int, int] | None:
    """Return where the system finds the command line and the environment of this process: a start, and two ends.

    None if they cannot be replaced.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end, next_start, next_end = map(int, fields[45:49])  # 48 to 51 of proc_pid_stat(5)
    except (OSError, ValueError):
        return None
    return (start, end, next_end) if 0 < start < end == next_start < next_end else None


def fork_process(files: tuple[int, int], env: Mapping[str, str], cwd: str | None) -> ChildProcess:
    """Fork a main template process, which inherits its channel and its lifeline; `start_process` starts a new one."""
    gc.collect()
    generators = unseeded_generators()
    gc.freeze()  # collections would copy the memory that is shared from now on
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return ChildProcess(pid)
    try:
        become_template(files, env, cwd)
        server.serve_forks(socket.socket(fileno=files[0]), files[1], generators)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def become_template(files: tuple[int, int], env: Mapping[str, str], cwd: str | None) -> None:
    """Make this process as if it had been started as a program, with nothing of its server's."""
    os.setsid()
    close_files({1, 2, *files})
    if cwd is not None:
        os.chdir(cwd)
    sys.path[:] = import_path(env)
    sys.argv = [server.__file__, *map(str, files)]
    sys.orig_argv = [sys.executable, "-m", "irislib._forkserver", *map(str, files)]
    forget_secrets()
    os.environ.clear()
    os.environ.update(env)
    replace_memory_areas(sys.orig_argv, env)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(Path(sys.executable).name)
    use_one_arena()
    use_one_thread()


def close_files(excepted: set[int]) -> None:
    """Close all files but some, and read nothing from standard input."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in excepted:
            with contextlib.suppress(OSError):  # the one of the list itself
                os.close(int(name))
    os.open(os.devnull, os.O_RDONLY)  # gets the lowest number, which is 0


def import_path(env: Mapping[str, str]) -> list[str]:
    """Return where the program would look for modules: in its folder, and not in that of the server's script."""
    folder, script_folder = os.getcwd(), os.path.dirname(os.path.realpath(sys.argv[0]))
    first = [] if sys.flags.safe_path else [folder]
    importable = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    rest = [entry for entry in sys.path if entry not in ("", folder, script_folder)]
    return list(dict.fromkeys([*first, *importable, *rest]))


def forget_secrets() -> None:
    """Overwrite the values of secret environment variables in the dictionary that `os.environ` reads."""
    import posix

    for name in secret_variables():
        if value := posix.environ.get(os.fsencode(name)):
            ctypes.memset(ctypes.c_char_p(value), 0, len(value))


def replace_memory_areas(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Replace the command line and the environment of this process as the system shows them.

    They are one block of memory. A command line that is longer than its part of it goes on in the other part; then the
    system takes it for one argument.
    """
    areas = memory_areas()
    if areas is None:
        return
    start, middle, end = areas
    command = b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
    if len(command) > middle - start:
        command = os.fsencode(" ".join(arguments))[: end - start - 1] + b"\0"
    block = command.ljust(middle - start, b"\0")
    for name, value in environment.items():
        entry = os.fsencode(f"{name}={value}") + b"\0"
        if len(block) + len(entry) <= end - start:
            block += entry
    ctypes.memmove(start, block.ljust(end - start, b"\0"), end - start)
