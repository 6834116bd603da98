"""What a page does before there is a visitor, where its notebook is run ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib.widgets import _html
from irislib.widgets._error_boundary import guarded

if TYPE_CHECKING:
    from irislib.widgets._page import Page

__all__ = ["work_ahead"]


def work_ahead(page: Page) -> None:
    """Draw the tabs that need no answer, for all visitors to have; and rehearse an answer.

    The rehearsal imports what answering and drawing import, so that no visitor waits for it. It is
    for a model's page alone: what another page's answer does besides answering, nobody knows.
    """
    with guarded(lambda _: None):
        for i, tab in enumerate(page.tabs):
            if not tab.empty:
                page.kept[i] = page.measuring.html(tab.draw(None))
        page.measuring.finish(page.kept)
    if page.table:
        with guarded(lambda _: None):
            held_out = page.table.model.evaluation.features
            row = {name: value for name, value in held_out.iloc[0].items() if value == value}
            result = page.answer(row)
            for tab in page.tabs:
                _html.html(tab.draw(result))
