"""The documentation is true, and the code is in plain words."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import json
import pkgutil
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import FUZZ, ROOT, Server, open_app, run_irislib
from numpydoc.docscrape import FunctionDoc
from playwright.sync_api import expect
from sklearn.datasets import load_wine

import irislib
from irislib.cli import COMMANDS, main

README = (ROOT / "README.md").read_text()
USE = ROOT / "docs" / "use"
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
MODULES = [
    module.name for module in pkgutil.walk_packages(irislib.__path__, "irislib.") if "__main__" not in module.name
]
SECTIONS = ("Parameters", "Other Parameters")
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def blocks(language: str) -> list[str]:
    return [block for name, block in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.S | re.M) if name == language]


def run(code: str) -> None:
    exec(code, {"__name__": "__main__"})  # noqa: S102


FITTED = """
import joblib
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X_train, X_test, y_train, y_test = train_test_split(*load_wine(as_frame=True, return_X_y=True), random_state=0)
joblib.dump(RandomForestClassifier(20).fit(X_train, y_train), "wine.joblib")
"""


def test_from_a_joblib_file_to_an_app_in_the_browser_as_the_readme_says(
    page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = re.search(r"`(clf = joblib\.load\(.*?\))`", (USE / "own-model.md").read_text())[1]
    monkeypatch.chdir(tmp_path)
    run("\n".join([FITTED, load, blocks("python")[1]]))
    command = re.search(r"`irislib (serve --model wine\.irislib)`", README)[1].split()
    server = Server(tmp_path / "log", *command[:-1], str(tmp_path / command[-1])).wait()
    try:
        open_app(page, server, "wine", "Predict")
        names = irislib.load(tmp_path / "wine.irislib").spec.feature_names
        row = dict(zip(names, load_wine().data[-1].tolist(), strict=True))
        for name, value in row.items():
            page.locator(f"[name='{name}']").fill(str(value))
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_role("tabpanel").get_by_role("heading", name=": 2, ")).to_be_in_viewport()
        page.get_by_role("tab", name="Performance").click()
        page.get_by_text("Wine was fitted elsewhere, so that it cannot be trained again here.").wait_for()
        assert server.post("/wine", json=row).json() == 2
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def test_the_options_of_the_servers_exist() -> None:
    known = run_irislib("api", "--help").stdout
    options = set(re.findall(r"`(?:[^`]* )?(--[a-z-]+)", (USE / "serve.md").read_text().partition("## Commands")[2]))
    assert len(options) > 10
    for option in options:
        assert option in known or option == "--app", option  # which is Flask's own


def test_the_options_of_every_command_exist(capsys: pytest.CaptureFixture[str]) -> None:
    lines: dict[str, list[str]] = {}
    for page in PAGES:
        for command, options in re.findall(r"`irislib (\w+)([^`]*)`", page.read_text(encoding="utf-8")):
            lines.setdefault(command, []).append(options)
    assert set(lines) <= set(COMMANDS)
    for command, options in lines.items():
        if command in ("serve", "api"):
            known = run_irislib(command, "--help").stdout
        else:
            with pytest.raises(SystemExit):
                main([command, "--help"])
            known = capsys.readouterr().out
        for option in re.findall(r"\s(--[a-z-]+)(?![\w.])", " ".join(options)):
            assert option in known, f"{command} {option}"


def test_the_module_of_routes_is_short() -> None:
    assert len((ROOT / "irislib" / "api" / "_routes.py").read_text().splitlines()) < 200


def test_every_command_and_file_that_is_named_exists() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"""\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)="([^"]+)""", text):
            target = "".join(target)
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
    for cell in re.findall(r"^\| (`.*?`) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.M):
        folder = ""
        for path in re.findall(r"`([^`]+)`", cell):
            folder = path.rpartition("/")[0] if "/" in path else folder
            assert (ROOT / path).exists() or (ROOT / folder / path).exists(), path
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"\bmake (\w+)", README.replace("`make`", "")):
        assert target in targets or target == "python3"


def test_the_conda_environment_has_the_dependencies_of_the_package() -> None:
    extras = METADATA["optional-dependencies"]
    expected = [*METADATA["dependencies"], *(need for extra in extras.values() for need in extra)]
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda_forge = {"build": "python-build", "dask[dataframe]": "dask", "jupyter-kernel-test": "jupyter_kernel_test",
                   "playwright": "playwright-python"}  # fmt: skip
    expected = [re.sub(r"^[^<>=]+", lambda name: conda_forge.get(name[0], name[0]), need) for need in expected]
    listed = [need for need in listed if isinstance(need, str)] + listed[-1]["pip"]
    assert sorted(listed) == sorted([*expected, f"python{METADATA['requires-python']}", "pip"])


def test_the_wheel_has_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "irislib").rglob("*.py")}
    assert set(listed) == {".".join(folder.parts) for folder in folders}


def test_every_package_that_is_imported_is_a_dependency() -> None:
    names = {"sklearn": "scikit-learn", "flask_cors": "flask-cors", "flask_limiter": "flask-limiter",
             "limits": "flask-limiter", "pythonjsonlogger": "python-json-logger", "IPython": "ipykernel",
             "zmq": "ipykernel", "cloudpickle": "distributed", "PIL": "matplotlib",
             "opentelemetry": "opentelemetry-sdk"}  # fmt: skip
    extras = METADATA["optional-dependencies"]
    needs = [
        *METADATA["dependencies"],
        *extras["boosters"],
        *extras["dask"],
        *extras["jupyterhub"],
        *extras["limits"],
        *extras["sql"],
        *extras["stores"],
        *extras["tracing"],
    ]
    needs += extras["tables"]
    known = {re.split(r"[<>=[]", need)[0].lower() for need in needs}
    for path in (ROOT / "irislib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in modules:
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names and top != "irislib":
                    assert names.get(top, top) in known, f"{path}: {module}"


def test_machinery_does_not_know_the_example() -> None:
    for path in (ROOT / "irislib").rglob("*.py"):
        if path.name == "iris.py":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r"irislib|IRISLIB", "", line)
            # it may be named as the default, in messages and in examples of docstrings, but never imported
            assert not re.search(r"import.*\biris\b|\biris\.(py )?import|from \.iris\b", code), f"{path}:{number}"
            if "iris:spec" in code:
                assert (path.name, line.split(" =")[0]) == ("references.py", "EXAMPLE"), f"{path}:{number}"


def test_all_names_of_a_module_exist() -> None:
    modules = [importlib.import_module(name) for name in ["irislib", *MODULES]]
    assert [module.__name__ for module in modules if not module.__doc__] == []
    names = [(module, public) for module in modules for public in getattr(module, "__all__", [])]
    assert len(names) > 500
    missing = [f"{module.__name__}.{public}" for module, public in names if getattr(module, public, None) is None]
    assert missing == []


def documented() -> list[tuple[str, object]]:
    entries = []
    for name in ["irislib", *MODULES]:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", []):
            target = getattr(module, public)
            if inspect.isfunction(target):
                entries.append((f"{name}.{public}", target))
            elif inspect.isclass(target) and target.__module__.startswith("irislib"):
                if not issubclass(target, BaseException) or "__init__" in vars(target):
                    entries.append((f"{name}.{public}", target))
                entries += [
                    (f"{name}.{public}.{key}", method)
                    for key, method in vars(target).items()
                    if inspect.isfunction(method) and not key.startswith("_")
                ]
    return entries


def test_documented_parameters_are_the_real_ones() -> None:
    faults = []
    for name, target in documented():
        documentation = FunctionDoc(target)
        described = [
            part.strip() for part in SECTIONS for parameter in documentation[part] for part in parameter.name.split(",")
        ]
        parameters = [name for name in inspect.signature(target).parameters if name not in ("self", "cls")]
        faults += [f"{name} has no parameter {extra}" for extra in set(described) - set(parameters)]
        if documentation["Parameters"]:  # a helper's summary may say it all; what has a table of parameters has all
            faults += [f"{name} does not describe {missing}" for missing in set(parameters) - set(described)]
    assert faults == []


# Names without a meaning of their own, and question words at the start of a docstring.
VAGUE_NAMES = {
    "told", "found", "given", "each", "place", "words", "kept", "said", "shown", "asked", "odd", "strangers",
    "left", "wanted", "there",
}  # fmt: skip
QUESTIONS = ("What", "Whether", "How", "Where", "Which")


def vague_names(tree: ast.AST) -> Iterator[str]:
    """The vague names that a module binds: functions, classes, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        else:
            continue
        if name.strip("_") in VAGUE_NAMES:
            yield f"{name}, line {node.lineno}"


def asking_docstrings(tree: ast.AST) -> Iterator[str]:
    """The first lines of docstrings that begin with a question word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            documentation = ast.get_docstring(node) or ""
            if documentation.partition(" ")[0] in QUESTIONS:
                yield documentation.partition("\n")[0]


def test_names_and_docstrings_are_in_plain_words() -> None:
    vague, asking = [], []
    for path in sorted((ROOT / "irislib").rglob("*.py")):
        tree = ast.parse(path.read_text())
        vague += [f"{path.name}: {name}" for name in vague_names(tree)]
        asking += [f"{path.name}: {line}" for line in asking_docstrings(tree)]
    assert not vague
    assert not asking


def test_notebooks_are_thin_and_hold_no_output() -> None:
    notebooks = [json.loads(path.read_text()) for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert notebooks
    for notebook in notebooks:
        assert notebook["metadata"]["title"]
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        for cell in notebook["cells"]:
            assert len(cell["source"]) <= 4
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_no_machine_path_or_host_is_in_the_repository() -> None:
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "README.md" in listed
    for name in listed:
        path = ROOT / name
        if path.suffix in (".png", ".irislib", "") or not path.is_file():
            continue
        assert not re.search("/(root|work|home/(?!irislib))/|pypi" + r"\.", path.read_text()), name


def test_the_page_about_insights_is_that_of_the_insights() -> None:
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    if importlib.metadata.version("scikit-learn") != pins["scikit-learn"]:
        pytest.skip("other versions of scikit-learn train other models")
    pages = runpy.run_path(str(ROOT / "docs" / "insights.py"))
    written = (ROOT / "docs" / "insights.md").read_text(encoding="utf-8")
    if FUZZ == 1:
        for name in ("cross_validation", "learning_curve"):  # they train 50 forests
            del pages["HOW"]["How well does it do?"][name]
            written, n = re.subn(rf"### [^\n]+\n\n`irislib\.insights\.{name}`.*?\n(?=##|\Z)", "", written, flags=re.S)
            assert n == 1
    assert written.rstrip() == pages["page"]().rstrip(), "run `make insights`"


def test_every_picture_of_a_page_is_shown() -> None:
    shown = re.findall(r"\]\((pages/[^)]+)\)", (ROOT / "docs/pages.md").read_text())
    assert sorted(shown) == sorted(f"pages/{path.name}" for path in (ROOT / "docs/pages").iterdir())


def test_the_figures_are_those_that_the_benchmark_has_written() -> None:
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "__main__.py"))
    performance, comparison = (
        (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("performance", "comparison")
    )
    assert performance == benchmark["page"](performance, {}), "run `make benchmark`"
    assert comparison == benchmark["with_summary"](comparison, performance), "run `make benchmark`"
    assert all((ROOT / "benchmarks" / f"{name}.py").exists() for name in benchmark["SECTIONS"])


def test_the_figures_have_the_tables_that_the_benchmark_writes(monkeypatch) -> None:
    pytest.importorskip("playwright")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    sections = runpy.run_path(str(ROOT / "benchmarks" / "__main__.py"))["SECTIONS"]
    section = {name: runpy.run_path(str(ROOT / "benchmarks" / f"{name}.py")) for name in sections}
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^## (.*?)$(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert [*written] == [title for title, _ in sections.values()]
    ways = {way: [] for way in section["many_rows"]["WAYS"]}
    tools = [cell for cell in next(iter(layout(written["Pages"])))[0][1:] if cell]
    large = [section["estimators"]["WIDE"], *section["estimators"]["LARGE"]]
    names = [*runpy.run_path(str(ROOT / "tests" / "estimators.py"))["CASES"], *large]
    made = {
        "rows": section["rows"]["tables"]([section["rows"]["Endpoint"](name, []) for name in section["rows"]["NAMES"]]),
        "estimators": section["estimators"]["tables"]([[name] for name in names]),
        "many_rows": section["many_rows"]["tables"](dict.fromkeys(section["many_rows"]["CASES"], ways)),
        "pages": section["pages"]["tables"]([section["pages"]["Tool"](name, []) for name in tools]),
    }
    for name, (title, _) in sections.items():
        shown = layout(written[title])
        assert shown, title
        assert shown == layout(made[name])[: len(shown)], title


def layout(text: str) -> list[tuple[list[str], list[str]]]:
    """Return the head of each table in Markdown, and the first cells of its rows."""
    tables = re.findall(r"(?:^\|.*\n?)+", text, re.M)
    cells = [[[cell.strip() for cell in line.strip("|\n").split("|")] for line in one.splitlines()] for one in tables]
    return [(head, [row[0] for row in rows]) for head, _, *rows in cells]
