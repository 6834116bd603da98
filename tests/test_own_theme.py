"""Themes of models' own: colours that can be read, images that run nothing, and a footer of text and links."""

import base64
import dataclasses
import re

import branded
import numpy as np
import pytest
from conftest import TESTS

import irislib
from irislib import Theme
from irislib._common.contrast import contrast, mix, nearest_readable
from irislib._common.theme import PALETTE, derive_palette
from irislib.errors import SpecError

LOGO = TESTS / "branded_files" / "logo.svg"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


def test_the_nearest_readable_colour_is_just_readable():
    nearest = nearest_readable("#ffcc00", ["#ffffff"], 4.5)
    assert contrast(nearest, "#ffffff") >= 4.5
    assert contrast(mix(nearest, "#ffcc00", 0.02), "#ffffff") < 4.5
    assert nearest_readable("#0b5fa5", ["#ffffff"], 4.5) == "#0b5fa5"


def test_an_unreadable_accent_is_refused_with_the_nearest_that_is_not():
    with pytest.raises(SpecError) as failure:
        Theme(accent="#ffcc00", accent_dark="#222222")
    light, dark = str(failure.value).splitlines()[1:]
    assert "accent: #ffcc00 has a contrast of 1.4 to 1" in light
    assert "accent_dark: #222222 has a contrast of 1.0 to 1" in dark
    nearest = [re.search(r"that has it: (#\w{6})\.", line)[1] for line in (light, dark)]
    assert Theme(accent=nearest[0], accent_dark=nearest[1]).style


COLOURS = [f"#{r:02x}{g:02x}{b:02x}" for r in range(0, 256, 51) for g in range(0, 256, 51) for b in range(0, 256, 51)]


def test_every_accent_that_is_taken_makes_readable_pages():
    taken = [colour for colour in COLOURS if min(contrast(colour, "#ffffff"), contrast(colour, "#faf8f7")) >= 4.5]
    assert len(taken) > 60
    for accent in taken:
        palette = {**PALETTE, **derive_palette(accent)}
        for index in (0, 1):
            colour = {name: value if isinstance(value, str) else value[index] for name, value in palette.items()}
            for text, ground in (
                ("accent", "paper"), ("accent", "ground"), ("title", "paper"), ("on-dark", "panel"), ("on-dark", "top"),
                ("panel-help", "panel"), ("panel-mark", "panel"), ("on-dark", "button"), ("action-ink", "action"),
                ("on-dark", "top-control"), ("top-link", "top"), ("on-dark", "method"),
            ):  # fmt: skip
                assert contrast(colour[text], colour[ground]) >= 4.5, (accent, index, text, ground)
            for mark, ground in (
                ("orange", "paper"), ("bar", "paper"), ("less", "paper"), ("panel-control", "panel"),
                ("panel-wrong", "panel"), ("top-edge", "top-control"), ("top-mark", "top"),
                ("action-ink", "action-busy"),
            ):  # fmt: skip
                assert contrast(colour[mark], colour[ground]) >= 3, (accent, index, mark, ground)


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        ({"accent": "blue"}, "accent: a colour such as '#772953', got 'blue'."),
        ({"accent_dark": "#ffffff"}, "accent_dark: give accent as well."),
        ({"font": "x; } body { display: none"}, "font: give 'sans', 'serif', 'mono', or names separated by commas"),
        ({"footer": "[x](javascript:1)"}, "footer: a link begins with https://, http://, mailto: or /"),
        ({"footer": "[x](//example.org)"}, "footer: a link begins with https://, http://, mailto: or /"),
        ({"footer": "x" * 1001}, "footer: at most 1000 characters, got 1001."),
        ({"logo": "missing.png"}, "logo: No such file or directory"),
        ({"logo": __file__}, "logo: not an SVG, PNG, JPEG, GIF or WebP image."),
        ({"logo": "data:image/png;base64,PGh0bWw+"}, "logo: not an SVG, PNG, JPEG, GIF or WebP image."),
        ({"logo": "data:image/png,%"}, "logo: its data URL is not in base64"),
        ({"logo": 3}, "logo: give the path of an image, got 3."),
    ],
)
def test_what_a_theme_cannot_be_is_said(faulty, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        Theme(**faulty)


def test_a_description_takes_nothing_but_a_theme():
    with pytest.raises(SpecError, match=re.escape("theme: give an irislib.Theme(…), got a str.")):
        dataclasses.replace(branded.spec, theme="dark")


def test_the_type_of_an_image_is_that_of_its_content(tmp_path):
    (tmp_path / "logo.svg").write_bytes(PNG)
    assert Theme(logo=tmp_path / "logo.svg").logo.startswith("data:image/png;base64,")
    (tmp_path / "page.png").write_text("<!-- <svg --><html><svg></svg></html>")
    with pytest.raises(SpecError, match="not an SVG"):
        Theme(logo=tmp_path / "page.png")


def test_an_image_that_is_too_large_is_refused(tmp_path):
    (tmp_path / "large.png").write_bytes(PNG + bytes(100_000))
    with pytest.raises(SpecError, match="logo: the image has more than 100 kB"):
        Theme(logo=tmp_path / "large.png")


def test_images_are_relative_to_the_file_that_defines_the_theme(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    theme = Theme(logo="branded_files/logo.svg")
    assert base64.b64decode(theme.logo.partition(",")[2]) == LOGO.read_bytes()


def test_a_footer_is_text_and_links():
    theme = Theme(footer="By <b>us</b>, [mail](mailto:a@example.org).\n\n[All](/all)")
    assert theme.footer_paragraphs == [
        [("By <b>us</b>, ", ""), ("mail", "mailto:a@example.org"), (".", "")],
        [("All", "/all")],
    ]


def test_a_theme_makes_no_trained_model_stale():
    assert branded.spec.digest == dataclasses.replace(branded.spec, theme=Theme()).digest


def test_the_file_of_a_model_holds_its_theme_with_the_images(tmp_path):
    model = irislib.train(branded.spec)
    read = irislib.load(str(model.save(tmp_path / "branded.irislib")))
    assert read.spec.theme == branded.spec.theme
    assert np.array_equal(read.evaluation.y_pred, model.evaluation.y_pred)
