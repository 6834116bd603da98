"""The features that one visitor holds at their values, also for later predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from irislib.errors import NotApplicableError
from irislib.widgets._blocks import Block, Failure, HeldFeatures, Paragraph
from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render
from irislib.widgets._pieces import hold_features, to_blocks

__all__ = ["HeldFeatureState"]


class HeldFeatureState:
    """The held features of each insight with such an option."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.blocks: dict[str, HeldFeatures] = {}

    def to_blocks(self, pieces: Iterable[Any]) -> list[Block]:
        """Convert the pieces of a tab to blocks, with the boxes checked as before; each fails alone."""
        blocks: list[Block] = []
        for piece in pieces:
            converted = self._convert_guarded(piece)
            if isinstance(piece, HeldFeatures):  # why it does not apply may be what another insight has said already
                converted = [block for block in converted if block not in blocks]
            blocks += converted
        return blocks

    def _convert_guarded(self, piece: Any) -> list[Block]:
        blocks: list[Block] = []
        with guarded(lambda text: blocks.append(Failure(getattr(piece, "title", ""), text))):
            blocks += self._convert(piece)
        return blocks

    def _convert(self, piece: Any) -> list[Block]:
        if not isinstance(piece, HeldFeatures):
            return to_blocks([piece])
        before = self.blocks.get(piece.name)
        try:
            hold_features(piece, before.held if before else piece.held)
        except NotApplicableError as error:
            return [Paragraph(str(error))]
        self.blocks[piece.name] = piece
        return [piece]

    def handle_hold(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Compute an insight again with the features that the visitor has checked."""
        block = self.blocks[request["name"]]
        insight = hold_features(block, [name for name in request["held"] if name in self.names])
        return {"html": render(block.blocks), "announcement": insight.text}
