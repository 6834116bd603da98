"""The rendering of pages that are run for each visitor."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import voila.handler
from voila.notebook_renderer import NotebookRenderer

from irislib._serving.preprocessors import remove_outputs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["FAILURE_MARK", "SERVER_ERROR", "VisitRenderer"]

# Voila's text in place of a cell if not the notebook failed but the connection to its kernel.
SERVER_ERROR = "An exception occurred at the server (not the notebook). {}"
FAILURE_MARK = "irislib-failure-reference"  # written by the template in place of a failed cell


class VisitRenderer(NotebookRenderer):  # type: ignore[misc]
    """Voila's renderer, which reports any failure: Voila waits for the rest of the page forever."""

    kernel_id = ""

    async def generate_content_generator(
        self, kernel_id: str = "", kernel: Any = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield the page in pieces, and the error in place of those that cannot be rendered."""
        if kernel_id:
            self.kernel_id, self.request_handler.renderer = kernel_id, self
            if self.request_handler.has_left:
                self.abandon()
                return
        try:
            async for piece in super().generate_content_generator(kernel_id, kernel):
                yield piece
        except Exception:
            self.log.exception("%s could not be rendered.", self.notebook_path)
            try:
                yield self.request_handler.render_failure(), {}
            except Exception:  # as when the templates were renewed under a running server
                self.log.exception("%s could not be rendered.", "The error's page")
                yield FAILURE_MARK, {}

    async def _jinja_cell_generator(self, nb: Any, kernel_id: Any) -> AsyncIterator[Any]:
        """Yield the cells as they are run, without the outputs that tags remove."""
        async for cell in super()._jinja_cell_generator(nb, kernel_id):
            remove_outputs(cell, self.traitlet_config)
            yield cell

    def abandon(self) -> None:
        """End the kernel, whose visitor has left; that it ends within a cell is no failure to be logged."""
        self.log = logging.getLogger(f"{__name__}.abandoned")
        self.log.disabled = True
        self.request_handler.kernel_manager.end_kernel(self.kernel_id)


voila.handler.NotebookRenderer = VisitRenderer  # Voila has no option for it
