"""The scripts of the pages, without a server or a browser: static checks and unit tests of their logic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from irislib._common import paths
from irislib._common.formatting import format_share
from irislib._common.language import using_language
from irislib.widgets import Content, Form, Page

SHARES = (
    0,
    1e-9,
    0.0001,
    0.001,
    0.003,
    0.00499,
    0.005,
    0.006,
    0.125,
    0.334,
    0.375,
    0.5,
    0.994,
    0.995,
    0.9951,
    0.9996,
    1 - 1e-9,
    1,
)
FOLDER = Path(__file__).parent / "frontend"
STATIC = paths.CHECKOUT / "share/jupyter/voila/templates/irislib/static"


def lint(*files: Path, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("oxlint"), "-c", FOLDER / "oxlintrc.json", *options, *files]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_the_scripts_have_no_undefined_or_unused_names(tmp_path) -> None:
    module = tmp_path / "page.mjs"  # the browser gets all scripts of the app as one module
    module.write_text(Page._esm, encoding="utf-8")
    result = lint(module, *STATIC.glob("*.js"), *(paths.CHECKOUT / "docs" / "assets").glob("*.js"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("widget", [Form, Content])
def test_the_scripts_of_a_part_have_no_undefined_names(widget: type[Form | Content], tmp_path) -> None:
    module = tmp_path / "part.mjs"
    module.write_text(widget._esm, encoding="utf-8")
    result = lint(module, options=["-A", "no-unused-vars"])  # it uses a part of some files
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("fault", ["undefinedName();", "function unusedName() {}", "if (location.hash == 1) throw 1;"])
def test_a_fault_in_a_script_is_noticed(fault: str, tmp_path) -> None:
    module = tmp_path / "page.mjs"
    module.write_text(f"{Page._esm}\n{fault}\n", encoding="utf-8")
    assert lint(module).returncode == 1


def test_the_logic_of_the_page() -> None:
    from playwright._impl._driver import compute_driver_executable

    node = compute_driver_executable()[0]  # Playwright brings Node with it
    command = [str(node), "--test", str(FOLDER / "logic.test.mjs")]
    shares = {}
    for language in ("en", "de"):
        with using_language(language):
            shares[language] = [(share, format_share(share)) for share in SHARES]
    environment = os.environ | {"SHARES": json.dumps(shares)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "fail 0" in result.stdout
