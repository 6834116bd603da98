"""The theme of an app: its colours, logo, icon, font and footer."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from irislib._common.contrast import is_hex
from irislib._common.theme import PALETTE, Palette, accent_faults, css_declarations, derive_palette
from irislib._common.user_code import call_site
from irislib.errors import SpecError

__all__ = ["Theme", "folder_of_author"]

MAX_LOGO_BYTES, MAX_FAVICON_BYTES = 100_000, 30_000
MAX_FOOTER = 1000  # characters
FONTS = {
    "sans": PALETTE["font"],
    "serif": 'Georgia, Cambria, "Times New Roman", "Liberation Serif", serif',
    "mono": 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
}
# Nothing that could end the declaration
_STACK = re.compile(r"""[\w .-]+|[\w .,'"-]*,[\w .,'"-]*""")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^\s()]+)\)")
_TARGET = re.compile(r"(https?://|mailto:|/(?!/))", re.IGNORECASE)
# How files begin, by their type; an SVG is known by its root element.
_SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/x-icon": b"\x00\x00\x01\x00",
}
_SVG = re.compile(rb"\s*(<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]", re.DOTALL)


@dataclass(frozen=True)
class Theme:
    """The look of an app: colours, logo, icon, font and footer; irislib's own where left out.

    Parameters
    ----------
    accent : str, optional
        The colour of the form, of titles, links and charts, as ``#rrggbb``. White text must be readable on it, and it
        on a light page: a contrast of 4.5 to 1, as the Web Content Accessibility Guidelines (AA) require.
    accent_dark : str, optional
        The same on dark pages; made from ``accent`` where left out.
    logo : str or Path, optional
        An image to stand beside the title: SVG, PNG, JPEG, GIF or WebP of at most 100 kB. A relative path begins at
        the folder of the file that defines the theme. It is read at once, and embedded in the pages as an image, so
        that no script in it runs.
    favicon : str or Path, optional
        The icon of the browser's tab, of at most 30 kB; an ICO file will do as well.
    font : str, optional
        ``"sans"``, ``"serif"``, ``"mono"``, or the names of fonts that readers' systems have, separated by commas.
    footer : str, optional
        A text below the app. ``[text](https://…)`` is a link, a line break begins a paragraph.

    Raises
    ------
    SpecError
        With every fault, such as a colour that cannot be read, with the nearest one that can.

    Examples
    --------
    >>> theme = Theme(accent="#0b5fa5", font="serif", footer="Questions? [Ask us](mailto:data@example.org).")
    """

    accent: str | None = None
    accent_dark: str | None = None
    logo: str | Path | None = None
    favicon: str | Path | None = None
    font: str | None = None
    footer: str = ""

    def __post_init__(self) -> None:
        faults: list[str] = []
        folder = folder_of_author()
        for name, limit in (("logo", MAX_LOGO_BYTES), ("favicon", MAX_FAVICON_BYTES)):
            if getattr(self, name) is not None:
                _note(faults, name, lambda n=name, m=limit: self._embed(n, folder, m))  # type: ignore[misc]
        faults += self._colour_faults()
        if self.font is not None and not (isinstance(self.font, str) and _STACK.fullmatch(self.font)):
            faults.append(f"font: give 'sans', 'serif', 'mono', or names separated by commas, got {self.font!r}.")
        _note(faults, "footer", lambda: _check_footer(self.footer))
        if faults:
            raise SpecError("The theme", faults)

    def _embed(self, name: str, folder: Path, limit: int) -> None:
        """Put the content of an image in place of its path, as a data URL."""
        object.__setattr__(self, name, _data_url(getattr(self, name), folder, limit, name == "favicon"))

    def _colour_faults(self) -> list[str]:
        colours = {name: getattr(self, name) for name in ("accent", "accent_dark")}
        faults = [
            f"{name}: a colour such as '#772953', got {colour!r}."
            for name, colour in colours.items()
            if colour is not None and not is_hex(colour)
        ]
        if self.accent is None and self.accent_dark is not None:
            faults.append("accent_dark: give accent as well.")
        if faults or self.accent is None:
            return faults
        return accent_faults(self.accent, self.accent_dark)

    @cached_property
    def palette(self) -> Palette:
        """The colours and the font that differ from irislib's own."""
        colours = derive_palette(self.accent, self.accent_dark) if self.accent else {}
        return {**colours, **({"font": FONTS.get(self.font, self.font)} if self.font else {})}

    @cached_property
    def style(self) -> dict[str, str]:
        """The CSS custom properties that differ from irislib's own."""
        return css_declarations(self.palette) if self.palette else {}

    @cached_property
    def footer_paragraphs(self) -> list[list[tuple[str, str]]]:
        """The paragraphs of the footer: texts, each with the address that it links to, or an empty one."""
        return [_split_links(line.strip()) for line in self.footer.splitlines() if line.strip()]

    def to_record(self) -> dict[str, str]:
        """Return it as plain data, images included, from which it can be made again."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}


def folder_of_author() -> Path:
    """Return the folder of the file of the user's code that is being executed, or the current one in a notebook."""
    site = call_site()
    path = Path(site.file) if site else Path("<none>")
    is_file = path.suffix == ".py" and path.is_file() and "ipykernel_" not in str(path)
    return path.resolve().parent if is_file else Path.cwd()


def _note(faults: list[str], name: str, check: Callable[[], Any]) -> None:
    try:
        check()
    except (ValueError, OSError) as error:
        text = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        faults.append(f"{name}: {text}".rstrip(".") + ".")


def _data_url(source: Any, folder: Path, limit: int, is_icon: bool) -> str:
    """Return an image as a data URL; its type is that of its content, whatever its name says.

    Raises
    ------
    ValueError, OSError
        If it is no image, too large, or cannot be read.
    """
    if isinstance(source, str) and source.startswith("data:"):
        try:
            content = base64.b64decode(source.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise ValueError(f"its data URL is not in base64: {error}") from None
    elif isinstance(source, str | Path):
        with (folder / source).open("rb") as file:
            content = file.read(limit + 1)
    else:
        raise ValueError(f"give the path of an image, got {source!r}")
    if len(content) > limit:
        raise ValueError(f"the image has more than {limit // 1000} kB")
    return f"data:{_image_type(content, is_icon)};base64,{base64.b64encode(content).decode()}"


def _image_type(content: bytes, is_icon: bool) -> str:
    for mimetype, signature in _SIGNATURES.items():
        if content.startswith(signature) and (is_icon or mimetype != "image/x-icon"):
            return mimetype
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if _SVG.match(content.removeprefix(b"\xef\xbb\xbf")):
        return "image/svg+xml"
    raise ValueError(f"not an SVG, PNG, JPEG, GIF{', WebP or ICO' if is_icon else ' or WebP'} image")


def _check_footer(footer: Any) -> None:
    if not isinstance(footer, str):
        raise ValueError(f"give a text, got {footer!r}")
    if len(footer) > MAX_FOOTER:
        raise ValueError(f"at most {MAX_FOOTER} characters, got {len(footer)}")
    for _, target in _LINK.findall(footer):
        if not _TARGET.match(target):
            raise ValueError(f"a link begins with https://, http://, mailto: or /, got {target!r}")


def _split_links(line: str) -> list[tuple[str, str]]:
    parts, end = [], 0
    for match in _LINK.finditer(line):
        parts += [(line[end : match.start()], ""), (match[1], match[2])]
        end = match.end()
    return [part for part in [*parts, (line[end:], "")] if part[0]]
