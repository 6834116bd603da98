"""Computations of a page before there is a visitor, in its template process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib._common.language import column_labels
from irislib._common.theme import chart_colours
from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render, render_pieces

if TYPE_CHECKING:
    from irislib.widgets._page import Page

__all__ = ["warm_up"]

JOB_SECONDS = 2.0  # for the long-running insights of a tab: the first visitor waits for them


def warm_up(page: Page) -> None:
    """Draw the tabs that need no prediction for all visitors, and make one prediction.

    That imports the modules for predicting and drawing, so that no visitor waits for them. It is
    for a model's page alone: another page's function may have side effects.
    """
    with chart_colours(page.theme.accent), column_labels(page.column_labels):
        _draw_tabs(page)


def _draw_tabs(page: Page) -> None:
    for index, tab in enumerate(page.tabs):
        with guarded(lambda _: None):
            if not tab.empty:
                blocks = page.draw_tab(index, is_warm=True)
                page.jobs.finish(blocks, JOB_SECONDS)
                render(blocks)
    if page.csv_tab:
        with guarded(lambda _: None):
            model = page.csv_tab.model
            result = model.predict_row(model.evaluation.features.head(1))
            for tab in page.tabs:
                with guarded(lambda _: None):
                    render_pieces(tab.draw(result))
