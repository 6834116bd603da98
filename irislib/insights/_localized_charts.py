"""Charts in the language, and with the labels, of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.language import ENGLISH, current_language, localize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["localize_axes"]


def localize_axes(axes: Axes) -> None:
    """Have a chart that has been drawn write its numbers in the current language.

    The names of axes and series stay: those of the model's features and classes are nobody's to translate, and what
    draws the library's own ones does it.
    """
    from matplotlib.ticker import ScalarFormatter

    class LocalFormatter(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return localize(str(super().__call__(x, pos)))

    axis: Any
    for axis in (axes.xaxis, axes.yaxis):
        if current_language() != ENGLISH and isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(LocalFormatter())
