"""A headless Chromium, for the tests, the benchmarks and the pictures of the pages."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

__all__ = ["MISSING", "find", "launch"]

MISSING = "No browser found: install one, on Debian with `apt-get install chromium-headless-shell`."
ARGUMENTS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    # With it, Chromium may acknowledge that it closes a tab in the middle of a navigation, and not close it:
    # https://issues.chromium.org/issues/536385539
    "--disable-features=RenderDocument",
]


# The first has no windows of its own: a page takes a third of the CPU time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Return the path of the installed browser, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Launch the browser, with further arguments of its command line."""
    path = find()
    if path is None:
        raise SystemExit(MISSING)
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
