"""The code in docs/parts.md: each of the four parts does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Server

BLOCK = re.compile(r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
SECTIONS = (ROOT / "docs/parts.md").read_text().split("\n## ")
FIRST, *PARTS = (BLOCK.findall(section) for section in SECTIONS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which all blocks are run."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("MPLBACKEND", "agg")
        yield folder


@pytest.fixture(scope="module")
def names(folder: Path) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "page"}
    run(FIRST, names, folder)
    return names


def run(blocks: list[tuple[str, str, str]], names: dict[str, object], folder: Path) -> None:
    for language, title, code in blocks:
        if title:
            (folder / title).write_text(code)
        elif language == "python":
            exec(compile(code, "docs/parts.md", "exec"), names)  # noqa: S102
        else:
            assert language == "console"
            run_commands(code, folder)


def run_commands(text: str, folder: Path) -> None:
    """Run commands that are followed by their output; a server runs until the others are done."""
    server = None
    for command, output in re.findall(r"^\$ (.+)\n((?:[^$].*\n)*)", text, re.MULTILINE):
        program, *args = command.split()
        if program == "irislib":
            server = Server(folder / "log", *args, cwd=folder).wait()
        elif program == "curl":
            assert server
            assert server.get(args[-1].removeprefix("http://localhost:5000")).text == output
        else:
            done = subprocess.run([sys.executable, "-m", program, *args], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout + done.stderr) == (0, output)
    if server:
        server.stop()


@pytest.mark.parametrize(
    "blocks", PARTS, ids=[section.partition("\n")[0].replace(" ", "-").lower() for section in SECTIONS[1:]]
)
def test_a_part_does_what_the_page_says(blocks, names, folder, capsys) -> None:
    assert blocks
    run(blocks, names, folder)
