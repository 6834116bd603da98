"""Fenced code blocks of the documentation, and what runs or parses them.

Blocks of a page run in order, in one folder and one namespace. By language:

* ``python``: executed; with ``title="shop.py"`` (as in any language) written to that file.
* ``console``: each line after ``$ `` is run; the lines below it, if any, are its output, where ``…`` alone stands for
  any lines and within a line for any text. A command that fails has to show its output. `irislib serve` and `api` run
  on while the page runs; the next one on the same port ends them. `make` runs with the packages of the tests.
* ``r``, ``javascript``: run by Rscript and node.
* ``text title="output"``: what the Python, R or JavaScript block before it prints.
* ``sh``: commands that no test runs (`NOT_RUN`); the rest of `PARSERS` is parsed, and ``text`` is only shown.

``http://localhost:5000`` is the server that the page has started with options, or else the one of the tests, with the
Iris Wizard. A block in a comment (``<!-- … -->``) runs as all others.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from string import Template
from types import ModuleType

import playwright
import yaml
from conftest import NO_R, PATIENCE, ROOT, Server, free_port, has_r, run_irislib, wait_until

FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<rest>.*)$")
ADDRESS = re.compile(r"\b(?:localhost|127\.0\.0\.1):(\d+)")
ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.S)
# Commands that install something, need a service that tests have not, or take long.
NOT_RUN = {"apt-get", "cd", "conda", "docker", "git", "make", "npm", "npx", "openapi-python-client", "pip", "pytest",
           "python", "python3", "rattler-build", "source", "twine",
           ".venv/bin/pip", ".venv/bin/irislib", ".venv/bin/pytest"}  # fmt: skip
NO_NODE = "node is not installed: on Debian, apt-get install nodejs."


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    code: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page in Markdown."""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not (opening := FENCE.match(line)):
            continue
        code = []
        for _, inner in lines:
            if inner.strip() == opening["mark"]:
                break
            code.append(inner.removeprefix(opening["indent"]))
        else:
            raise AssertionError(f"line {number}: the block does not end")
        language, _, options = opening["rest"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', options)
        yield Block(language, title[1] if title else "", "".join(f"{line}\n" for line in code), number)


@dataclass
class Page:
    """A page whose blocks are run."""

    folder: Path
    shared: Callable[[], Server]
    environment: dict[str, str]
    namespace: ModuleType
    shares: bool = True
    missing: list[str] = field(default_factory=list)
    servers: dict[str, Server] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    printed: str = ""

    def __post_init__(self) -> None:
        self.cwd = self.folder
        (settings := self.folder.with_name(f"{self.folder.name}-curl")).mkdir(exist_ok=True)
        (settings / ".curlrc").write_text("silent\nfail-with-body\n")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment |= {"CURL_HOME": str(settings), "PATH": path, "PYTHONPATH": ""}

    def run(self, text: str, name: str) -> None:
        self.shares = not re.search(r"^\$ (?:[A-Z_]+=\S+ )*(?:irislib (?:serve|api) (?!--help)|make serve)", text, re.M)
        for block in blocks(text):
            try:
                self.run_block(block, name)
            except Exception as error:
                error.add_note(f"in the block at {name}:{block.line}")
                raise

    def run_block(self, block: Block, name: str) -> None:
        assert block.language in {*RUNNERS, *PARSERS}, f"no way to run or parse {block.language or 'no language'}"
        if block.title and block.title != "output":
            target = self.cwd / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.with_addresses(block.code))
        elif block.language in RUNNERS:
            RUNNERS[block.language](self, block, name)
        if block.language in PARSERS:
            PARSERS[block.language](block.code)

    def with_addresses(self, code: str) -> str:
        return ADDRESS.sub(lambda match: f"127.0.0.1:{self.port(match[1])}", code)

    def port(self, documented: str) -> int:
        """Return the port that stands for one of the documentation."""
        if documented not in self.ports:
            self.ports[documented] = self.shared().port if self.shares and documented == "5000" else free_port()
        return self.ports[documented]

    def run_python(self, block: Block, name: str) -> None:
        code = compile("\n" * block.line + self.with_addresses(block.code), f"<{name}>", "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, vars(self.namespace))  # noqa: S102
        self.printed = printed.getvalue()

    def run_r(self, block: Block, _: str) -> None:
        self.run_program(["Rscript", "-e", self.with_addresses(block.code)], has_r(), NO_R)

    def run_javascript(self, block: Block, _: str) -> None:
        code = self.with_addresses(block.code)
        node = shutil.which("node") or shutil.which("node", path=str(Path(playwright.__file__).parent / "driver"))
        self.run_program([str(node), "--input-type=module", "-e", code], node is not None, NO_NODE)

    def run_program(self, command: list[str], present: bool, hint: str) -> None:
        self.printed = "…"
        if not present:
            self.missing.append(hint)
            return
        result = subprocess.run(command, cwd=self.cwd, capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 0, result.stdout + result.stderr
        self.printed = result.stdout

    def compare_output(self, block: Block, _: str) -> None:
        if block.title == "output":
            assert self.printed == "…" or matches(block.code, self.printed), f"it prints:\n{self.printed}"

    def run_console(self, block: Block, _: str) -> None:
        found = False
        for command, expected in commands(block.code):
            found = True
            status, output = self.run_command(self.with_addresses(command))
            for documented, port in self.ports.items():
                output = output.replace(f"127.0.0.1:{port}", f"localhost:{documented}")
            assert not status or expected.strip(" …\n"), f"`{command}` ends with {status}:\n{output}"
            assert not expected or matches(expected, output), f"`{command}` prints:\n{output}"
        assert found, "no line begins with `$ `"

    def run_command(self, command: str) -> tuple[int, str]:
        """Run a line of a shell; return its status and what it prints."""
        known = {**os.environ, **self.environment}
        words = [Template(word).safe_substitute(known) for word in shlex.split(command, comments=True)]
        assigned = {}
        unset = words[2] if words[:2] == ["env", "-u"] else ""
        if unset:
            del words[:3]
        while words and (match := ASSIGNMENT.fullmatch(words[0])):
            assigned[match[1]] = match[2]
            del words[0]
        if words[:1] == ["make"]:  # with what is installed here, as if the project's .venv had it, and the project
            known["PYTHONPATH"] = str(self.cwd)
            known["PYTEST_ADDOPTS"] = "-p irislib._common.quick_imports"  # as here
            made = f"{sys.prefix}/ready"
            command = shlex.join(["make", "--silent", "-o", made, f"VENV={sys.prefix}", *words[1:]])
            recipe = subprocess.check_output(f"{command} --dry-run", shell=True, cwd=self.cwd, text=True)  # noqa: S602
            program = shlex.split(recipe.splitlines()[-1])
            if words[1:] == ["serve"]:
                words = ["irislib", *program[1:]]
            elif "pytest" in program:
                return self.run_pytest(program, known)
        if words[:1] == ["cd"]:
            self.cwd = self.cwd / words[1]
            assert self.cwd.is_dir(), f"{words[1]} is not a folder"
        elif words[:1] == ["export"]:
            self.environment |= dict(ASSIGNMENT.fullmatch(word).groups() for word in words[1:])  # type: ignore[union-attr]
        elif is_server(words):
            self.start(words[1:], self.environment | assigned)
        elif words[:1] == ["irislib"] and not re.search(r"[|<>;&*`]|\$[A-Z({]", command):
            chosen = {name: value for name, value in (self.environment | assigned).items() if name != unset}
            result = run_irislib(*words[1:], cwd=self.cwd, **chosen)
            return result.returncode, result.stdout + result.stderr
        else:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command], cwd=self.cwd, env=known, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
            )  # fmt: skip
            return done.returncode, done.stdout
        return 0, ""

    def run_pytest(self, program: list[str], environment: dict[str, str]) -> tuple[int, str]:
        """Run a recipe such as ``A=b …/python -m pytest tests``, forked: importing scikit-learn takes long."""
        environment |= dict(word.split("=", 1) for word in program if ASSIGNMENT.fullmatch(word))
        args = program[program.index("pytest") + 1 :]
        args += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of plugins imported before
        code = f"import sys, pytest; sys.exit(pytest.main({args}))"
        result = run_irislib(cwd=self.cwd, code=code, **environment)
        return result.returncode, result.stdout + result.stderr

    def start(self, args: list[str], environment: dict[str, str]) -> None:
        """Start a server; `irislib serve` and `api` without options are the one that pages share."""
        documented = "5000"
        if "--port" in args:
            documented = args.pop(args.index("--port") + 1)
            args.remove("--port")
        if documented in self.servers:
            self.end_server(documented)
        port = self.port(documented)
        if self.shares and documented == "5000":
            return
        log = self.folder.with_name(f"{self.folder.name}-log-{documented}")
        self.servers[documented] = Server(log, *args, cwd=self.cwd, port=port, **environment)
        self.servers[documented].wait("/healthz")
        wait_until(lambda: self.servers[documented].get("/readyz").status_code != 503)

    def end_server(self, documented: str) -> None:
        server = self.servers.pop(documented)
        assert server.stop() == 0, server.text()
        assert "Traceback" not in server.text(), server.text()

    def end(self) -> None:
        for documented in [*self.servers]:
            self.end_server(documented)


def is_server(words: list[str]) -> bool:
    return words[:2] in (["irislib", "serve"], ["irislib", "api"]) and "--help" not in words


def commands(code: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a transcript, and the output below it."""
    for part in re.split(r"^\$ ", code, flags=re.M)[1:]:
        command, _, expected = re.sub(r"\\\n(> )?", "", part).partition("\n")
        yield command, expected


def matches(expected: str, output: str) -> bool:
    expected, output = (re.sub("={4,}", "===", text) for text in (expected, output))  # their number depends on times
    pattern = ""
    for line in expected.strip().splitlines():
        text = ".*".join(re.escape(part) for part in line.rstrip().split("…"))
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else rf"{text} *\n"
    return bool(re.fullmatch(pattern, "".join(f"{line}\n" for line in output.strip().splitlines())))


def parse_shell(code: str) -> None:
    """Check the syntax of commands, that tests need not run them, and that the files of the repository exist."""
    subprocess.run(["bash", "-n"], input=code, text=True, check=True, timeout=PATIENCE)
    for line in re.sub(r"\\\n", "", code).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] in NOT_RUN, f"`{words[0]}` can be run: write ```console, with `$ ` before the command"
        for word in words:
            if re.fullmatch(r"(tests|benchmarks|docs)/\S+", word):
                assert (ROOT / word).exists(), word


def parse_nginx(code: str) -> None:
    """Check that each directive ends, and each brace has its other half."""
    plain = re.sub(r'#.*|"[^"]*"', "", code)
    depth = 0
    for line in filter(str.strip, plain.splitlines()):
        assert line.rstrip()[-1] in ";{}", line
        depth += line.count("{") - line.count("}")
        assert depth >= 0, line
    assert depth == 0


def parse_ini(code: str) -> None:
    configparser.ConfigParser(interpolation=None).read_string(code)


def show(_: str) -> None:
    """Accept what is only shown."""


PARSERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "toml": tomllib.loads,
    "ini": parse_ini,
    "nginx": parse_nginx,
    "html": HTMLParser().feed,
    "sh": parse_shell,
    # for these there is no parser at hand
    "css": show,
    "csv": show,
    "dockerfile": show,
    "typescript": show,
    "vb": show,
}
RUNNERS: dict[str, Callable[[Page, Block, str], None]] = {
    "python": Page.run_python,
    "console": Page.run_console,
    "r": Page.run_r,
    "javascript": Page.run_javascript,
    "text": Page.compare_output,
}
