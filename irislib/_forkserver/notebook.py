"""Run a notebook in a template process, once for all visitors."""

from __future__ import annotations

import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import nbformat
from jupyter_client.session import Session

from irislib._forkserver.kernel import shell
from irislib._forkserver.threads import has_threads, thread_names

MAX_PAGE_CHARACTERS = 20_000_000  # characters of a page

__all__ = ["run_notebook", "warm_up_widgets"]

# The environment variables with which Voila describes a visit; see voila.utils.ENV_VARIABLE.
VISIT_VARIABLES = {"QUERY_STRING", "SCRIPT_NAME", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
         "SERVER_SOFTWARE", "VOILA_REQUEST_URL", "VOILA_KERNEL_ID", "VOILA_PREHEAT"}  # fmt: skip


class RecordingSession(Session):
    """Session that records what a kernel would publish."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Any] = []
        self.display_updated = False
        self.n_characters = 0

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> None:
        """Record a message of the shell's display hook or publisher."""
        self.count(str(content or msg_or_type))
        message = msg_or_type if isinstance(msg_or_type, dict) else {"msg_type": msg_or_type, "content": content}
        msg_type = message["msg_type"]
        if msg_type == "clear_output":
            self.outputs.clear()
        elif msg_type == "update_display_data":
            self.display_updated = True
        else:
            published = {"header": {"msg_type": msg_type}, "content": message["content"]}
            self.outputs.append(nbformat.v4.output_from_msg(published))

    def count(self, text: str) -> None:
        """Count characters; stop a notebook that publishes too many."""
        self.n_characters += len(text)
        if self.n_characters > MAX_PAGE_CHARACTERS:
            raise MemoryError("a page cannot show so much")

    def write(self, text: str) -> None:
        """Record printed text."""
        self.count(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream":
            last["text"] += text
        else:
            self.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))


class RecordedStdout(io.TextIOBase):
    """Standard output that is recorded as an output of the cell."""

    def __init__(self, recorder: RecordingSession):
        self.recorder = recorder

    def write(self, text: str) -> int:
        """Record printed text and return its length."""
        self.recorder.write(text)
        return len(text)


ENVIRON: Any = type(os.environ)


class WatchedEnviron(ENVIRON):  # type: ignore[misc]
    """Environment that notices when a variable about the visit is read."""

    visit_was_read = False

    def __getitem__(self, key: str) -> str:
        if key in VISIT_VARIABLES or key.startswith("HTTP_"):
            WatchedEnviron.visit_was_read = True
        return str(super().__getitem__(key))


def run_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run all cells and return their outputs and the state of the widgets, or the reason for a refusal.

    Returns
    -------
    dict
        ``outputs``: a list of outputs per cell, in notebook format. ``widgets``: as in the metadata of
        a notebook. Or ``refusal``: the reason why the notebook has to be run for each visitor.
    """
    current: Any = shell()
    recorder, numbers_drawn = RecordingSession(), watch_random_state()
    outputs = []
    with record_outputs(recorder):
        for cell in notebook["cells"]:
            recorder.outputs = []
            if cell["cell_type"] == "code":
                result = current.run_cell(cell["source"], store_history=False)
                if error := result.error_before_exec or result.error_in_exec:
                    return {"refusal": f"a cell failed: {error!r}"}
            outputs.append(recorder.outputs)
        if refusal := refusal_reason(recorder, numbers_drawn):
            return {"refusal": refusal}
    if refusal := thread_refusal():
        return {"refusal": refusal}
    from ipywidgets import Widget

    return {"outputs": outputs, "widgets": Widget.get_manager_state()["state"]}


def watch_random_state() -> Callable[[], bool]:
    """Return a function that returns True if a random number was drawn since."""
    from numpy import random as numpy_random

    before, numpy_before = random.getstate(), str(numpy_random.get_state(legacy=False))
    return lambda: random.getstate() != before or str(numpy_random.get_state(legacy=False)) != numpy_before


def refusal_reason(recorder: RecordingSession, numbers_drawn: Callable[[], bool]) -> str:
    if WatchedEnviron.visit_was_read:
        return "it reads the address or the headers of the visit"
    if numbers_drawn():
        return "it draws random numbers"
    return "it changes what it has displayed" if recorder.display_updated else ""


def thread_refusal() -> str:
    return f"it has started a thread ({', '.join(thread_names())})" if has_threads() else ""


def warm_up_widgets() -> dict[str, Any]:
    """Call `warm_up` of the widgets that have it, such as to draw what is the same for all visitors.

    Returns
    -------
    dict
        Empty, or with the ``refusal``: the reason why no kernel can be forked any more.
    """
    from ipywidgets.widgets.widget import _instances

    with record_outputs(RecordingSession()):
        for widget in list(_instances.values()):
            if work := getattr(type(widget), "warm_up", None):
                work(widget)
    refusal = thread_refusal()
    return {"refusal": refusal} if refusal else {}


def reject_gui(gui: str | None = None) -> None:
    """Accept ``%matplotlib inline``, reject any other GUI event loop."""
    if gui:
        raise NotImplementedError(f"There is no window for {gui} on a server.")


@contextmanager
def record_outputs(recorder: RecordingSession) -> Iterator[None]:
    """Have the shell publish and print to ``recorder``; standard error goes to the server's log."""
    current: Any = shell()
    stdout, environment = sys.stdout, type(os.environ)
    current.displayhook.session = current.display_pub.session = recorder
    current.enable_gui = reject_gui  # ipykernel's own needs a kernel
    sys.stdout = RecordedStdout(recorder)
    os.environ.__class__ = WatchedEnviron
    WatchedEnviron.visit_was_read = False
    try:
        yield
    finally:
        del current.enable_gui
        sys.stdout = stdout
        os.environ.__class__ = environment
