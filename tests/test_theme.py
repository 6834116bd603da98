"""The palette: the one place where colours stand, and what pages get of it."""

import re
from pathlib import Path

from irislib._common.theme import PALETTE, css_properties

ROOT = Path(__file__).parent.parent
HEX = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b")
PROPERTY = re.compile(r"var\(--irislib-([\w-]+)")
SOURCES = (".css", ".html", ".j2", ".js", ".py")
# Values that a person may enter, rather than colours of ours.
EXAMPLES = {
    "irislib/_common/contrast.py": {"#000000", "#ffffff", "#772953"},  # black, white, and an example
    "irislib/_description/theme.py": {"#772953", "#0b5fa5"},
    "irislib/_common/messages/de/validation.py": {"#772953"},
    "irislib/_common/messages/validation.py": {"#772953"},
    "irislib/dummy.py": {"#e95420"},
    "irislib/widgets/frontend/fields.js": {"#000000"},
}


def sources():
    files = (path for folder in ("irislib", "share") for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES)
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_no_colour_stands_outside_the_palette():
    texts = sources()
    assert len(texts) > 100
    del texts["irislib/_common/theme.py"]
    colours = {path: set(HEX.findall(text)) - EXAMPLES.get(path, set()) for path, text in texts.items()}
    assert {path: colours for path, colours in colours.items() if colours} == {}


def test_style_sheets_use_colours_of_the_palette_only_and_all_of_them():
    texts = sources()
    defined = {name for text in texts.values() for name in re.findall(r"--irislib-([\w-]+):", text)}
    used = {name for text in texts.values() for name in PROPERTY.findall(text)}
    assert used - defined == set(PALETTE)


def test_css_properties_have_a_value_for_light_and_one_for_dark_pages():
    rule = css_properties(".irislib")
    assert rule.startswith(".irislib {\n")
    assert "--irislib-ink: light-dark(#2c2a29, #f1edeb);" in rule
    assert "--irislib-orange: #e95420;" in rule
