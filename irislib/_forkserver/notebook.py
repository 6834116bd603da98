"""Run a notebook in a template: once, for every visitor to come."""

from __future__ import annotations

import ast
import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import nbformat
from jupyter_client.session import Session

from irislib._forkserver.kernel import has_threads, shell

OUTPUT = 20_000_000  # characters; a page is built of no more

__all__ = ["imported", "once", "run"]

# What Voila tells a notebook of the visit, as environment variables; see voila.utils.ENV_VARIABLE.
VISIT = {"QUERY_STRING", "SCRIPT_NAME", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
         "SERVER_SOFTWARE", "VOILA_REQUEST_URL", "VOILA_KERNEL_ID", "VOILA_PREHEAT"}  # fmt: skip
OUTSIDE = {"open", "input", "eval", "exec", "compile", "__import__"}  # what leads out of irislib without an import


def once(notebook: dict[str, Any]) -> bool:
    """Whether a notebook is to be run once for all visitors.

    Its metadata can say so (``{"irislib": {"run": "once"}}`` or ``"each visit"``). Otherwise it is
    where the notebook imports nothing but irislib, and so cannot depend on the time of day or on
    files that change.
    """
    told = notebook["metadata"].get("irislib", {}).get("run")
    if told in ("once", "each visit"):
        return bool(told == "once")
    sources = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return all(is_plain(source) for source in sources)


def is_plain(source: str) -> bool:
    """Whether a cell uses nothing but irislib."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, or a mistake
        return False
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return not names & OUTSIDE and all(name.partition(".")[0] == "irislib" for name in imported(source))


def imported(source: str) -> list[str]:
    """The modules that a cell imports, as far as it is plain Python."""
    found: list[str] = []
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return found
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append(node.module or "")
    return found


class Recorder(Session):
    """Keeps what a kernel would publish."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Any] = []
        self.changed = False
        self.said = 0

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> None:
        """What the shell's display hook and publisher call."""
        self.measure(str(content or msg_or_type))
        message = msg_or_type if isinstance(msg_or_type, dict) else {"msg_type": msg_or_type, "content": content}
        kind = message["msg_type"]
        if kind == "clear_output":
            self.outputs.clear()
        elif kind == "update_display_data":
            self.changed = True
        else:
            told = {"header": {"msg_type": kind}, "content": message["content"]}
            self.outputs.append(nbformat.v4.output_from_msg(told))

    def measure(self, said: str) -> None:
        """Stop a notebook that says too much."""
        self.said += len(said)
        if self.said > OUTPUT:
            raise MemoryError("a page cannot show so much")

    def write(self, text: str) -> None:
        """Add to what was printed."""
        self.measure(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream":
            last["text"] += text
        else:
            self.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))


class Printed(io.TextIOBase):
    """Standard output, where a notebook's is shown on its page."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder

    def write(self, text: str) -> int:
        """Keep a piece of text."""
        self.recorder.write(text)
        return len(text)


class Watched(os._Environ):  # type: ignore[type-arg]
    """The environment, noticing who asks about the visit."""

    asked = False

    def __getitem__(self, key: str) -> str:
        if key in VISIT or key.startswith("HTTP_"):
            Watched.asked = True
        return str(super().__getitem__(key))


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run every cell; returns the outputs of each and the state of the widgets, or why not.

    Returns
    -------
    dict
        ``outputs``: for each cell what it has put out, as in a notebook. ``widgets``: as in
        a notebook's metadata. Or ``refused``: why each visitor needs a run of their own.
    """
    here: Any = shell()
    recorder, before = Recorder(), state()
    outputs = []
    with recording(recorder):
        for cell in notebook["cells"]:
            recorder.outputs = []
            if cell["cell_type"] == "code":
                result = here.run_cell(cell["source"], store_history=False)
                if error := result.error_before_exec or result.error_in_exec:
                    return {"refused": f"a cell failed: {error!r}"}
            outputs.append(recorder.outputs)
        if refused := why_not(recorder, before):
            return {"refused": refused}
        prepare()
    if has_threads():
        return {"refused": "it has started a thread"}
    from ipywidgets import Widget

    return {"outputs": outputs, "widgets": Widget.get_manager_state()["state"]}


def state() -> Callable[[], bool]:
    """Returns whether a random number was drawn since."""
    from numpy import random as numbers

    drawn, array = random.getstate(), str(numbers.get_state(legacy=False))
    return lambda: random.getstate() != drawn or str(numbers.get_state(legacy=False)) != array


def why_not(recorder: Recorder, drawn: Callable[[], bool]) -> str:
    if Watched.asked:
        return "it reads the address or the headers of the visit"
    if drawn():
        return "it draws random numbers"
    return "it changes what it has displayed" if recorder.changed else ""


def prepare() -> None:
    """Let widgets that can do so work ahead, such as drawing what is the same for all visitors."""
    from ipywidgets.widgets.widget import _instances

    for widget in list(_instances.values()):
        if work := getattr(type(widget), "work_ahead", None):
            work(widget)


def no_gui(gui: str | None = None) -> None:
    """What ``%matplotlib inline`` needs, and no more."""
    if gui:
        raise NotImplementedError(f"There is no window for {gui} on a server.")


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Have the shell publish to ``recorder``, and print there; errors go to the server's log."""
    here: Any = shell()
    kept, environment = sys.stdout, type(os.environ)
    here.displayhook.session = here.display_pub.session = recorder
    here.enable_gui = no_gui  # ipykernel's asks for the kernel
    sys.stdout = Printed(recorder)
    os.environ.__class__ = Watched
    Watched.asked = False
    try:
        yield
    finally:
        del here.enable_gui
        sys.stdout = kept
        os.environ.__class__ = environment
