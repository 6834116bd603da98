"""Computations of a page before there is a visitor, in its template process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib._common.language import column_labels
from irislib._common.theme import chart_colours
from irislib._forkserver.child import ChildError, call_in_child
from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render, render_pieces
from irislib.widgets._pieces import deferred_pictures

if TYPE_CHECKING:
    from irislib.widgets._page import Page

__all__ = ["rehearse", "warm_up"]

JOB_SECONDS = 2.0  # for the long-running insights of a tab: the first visitor waits for them


def warm_up(page: Page) -> None:
    """Draw the tabs that need no prediction for all visitors, and make one prediction.

    That imports the modules for predicting and drawing, so that no visitor waits for them. It is
    for a model's page alone: another page's function may have side effects.
    """
    with chart_colours(page.theme.accent), column_labels(page.column_labels):
        try:
            _draw_tabs_in_child(page)
        except ChildError:  # such as a chart that fails, which is then a sentence
            page.warm_contents.clear()
            _draw_tabs(page)
        _predict(page)


def rehearse(page: Page) -> None:
    """Do all of that but the drawing, which takes a page the longest, and of which a child would keep nothing."""
    from matplotlib import image

    with chart_colours(page.theme.accent), column_labels(page.column_labels):
        with deferred_pictures():
            _draw_tabs(page)
        _predict(page)
    image.PIL.Image.preinit()  # type: ignore[attr-defined]  # it is what else drawing imports


def _draw_tabs_in_child(page: Page) -> None:
    """Draw the charts in a child: what drawing fills and touches takes some 30 MB, and the charts are text."""
    with deferred_pictures() as pictures:
        _draw_tabs(page)
    drawn = call_in_child(lambda: [(done.svg, done.alt) for done in (draw() for _, draw in pictures)])
    for (picture, _), (svg, alt) in zip(pictures, drawn, strict=True):
        picture.svg, picture.alt = svg, alt


def _draw_tabs(page: Page) -> None:
    for index, tab in enumerate(page.tabs):
        with guarded(lambda _: None):
            if not tab.empty:
                blocks = page.draw_tab(index, is_warm=True)
                page.jobs.finish(blocks, JOB_SECONDS)
                render(blocks)


def _predict(page: Page) -> None:
    if page.csv_tab:
        with guarded(lambda _: None):
            model = page.csv_tab.model
            result = model.predict_row(model.evaluation.trial_rows.head(1))
            for tab in page.tabs:
                if tab.empty:  # it needs the prediction
                    with guarded(lambda _: None):
                        render_pieces(tab.draw(result))
