"""The content of a tab as a widget of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipywidgets import Layout

from irislib.widgets._blocks import Block, Card
from irislib.widgets._error_boundary import guarded
from irislib.widgets._frontend import STYLE, read_frontend
from irislib.widgets._html import render
from irislib.widgets._pieces import charts_of, to_blocks

if TYPE_CHECKING:
    from irislib.widgets._form import Form

__all__ = ["Content"]


class Content(anywidget.AnyWidget):
    """The content of a tab as a widget, for use beside others: sentences, DataFrames, matplotlib Figures, Insights.

    Parameters
    ----------
    pieces : str, DataFrame, Figure or Insight
        What it shows at first, one below the other.
    widget : Any
        Traits of every widget, such as ``layout``.

    Examples
    --------
    >>> form, content = Form(model.spec.features), Content()
    >>> content.follow(form, lambda row: [irislib.insights.contributions(model, row)])
    >>> ipywidgets.HBox([form, content])
    """

    _esm = read_frontend("dom.js", "content.js")
    _css = STYLE
    html = traitlets.Unicode().tag(sync=True)

    def __init__(self, *pieces: Any, **widget: Any):
        widget.setdefault("layout", Layout(flex="1 1 20rem", min_width="0"))
        super().__init__(**widget)
        self.show(*pieces)

    def show(self, *pieces: Any) -> None:
        """Show something else from now on.

        Parameters
        ----------
        pieces : str, DataFrame, Figure or Insight

        Raises
        ------
        TypeError
            For anything else.
        """
        self.html = str(render(map(_with_charts, to_blocks(pieces))))

    def follow(self, form: Form, draw: Callable[[dict[str, Any]], Sequence[Any]], empty: str = "") -> None:
        """Show what belongs to the row in a form, now and after each change of it.

        Parameters
        ----------
        form : Form
        draw : callable
            Takes the form's ``value`` and returns a list of pieces. Of an error it raises one sentence is shown.
        empty : str, optional
            What is shown while the form has no valid row.
        """

        def update(row: dict[str, Any] | None) -> None:
            with guarded(self.show):
                self.show(*([empty] if row is None else draw(row)))

        form.observe(lambda change: update(change.new), "value")
        update(form.value)


def _with_charts(block: Block) -> Block:
    """Return a block whose chart is a picture, for there is no script here that would make a view of its numbers."""
    if isinstance(block, Card) and block.insight.interactive:
        return replace(block, blocks=charts_of(block.insight))
    return block
