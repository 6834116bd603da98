"""What a page computes before there is a visitor, in its template process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render, render_pieces

if TYPE_CHECKING:
    from irislib.widgets._page import Page

__all__ = ["warm_up"]


def warm_up(page: Page) -> None:
    """Draw the tabs that need no answer for all visitors, and rehearse an answer.

    The rehearsal imports what answering and drawing import, so that no visitor waits for it. It is
    for a model's page alone: another page's answer may have side effects.
    """
    with guarded(lambda _: None):
        for index, tab in enumerate(page.tabs):
            if not tab.empty:
                blocks = page.draw_tab(index, is_warm=True)
                page.jobs.finish(blocks)
                render(blocks)
    if page.csv_tab:
        with guarded(lambda _: None):
            test_rows = page.csv_tab.model.evaluation.features
            row = {name: value for name, value in test_rows.iloc[0].items() if value == value}
            result = page.answer(row)
            for tab in page.tabs:
                render_pieces(tab.draw(result))
