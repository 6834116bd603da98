"""Columns of text that are parsed as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DistinctTexts", "NumberTexts"]


@dataclass(frozen=True, eq=False)
class NumberTexts:
    """Texts that are plain numbers or empty.

    Attributes
    ----------
    numbers : ndarray of float of shape (n_texts,)
        As ``float`` reads them; NaN for an empty text.
    text : callable
        From a position to the text there.
    """

    numbers: np.ndarray
    text: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> str:
        return self.text(index)


@dataclass(frozen=True, eq=False)
class DistinctTexts:
    """Texts, each different one once.

    Attributes
    ----------
    texts : list of str
    codes : ndarray of int of shape (n_texts,)
        The position in ``texts`` of each.
    """

    texts: list[str]
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: int) -> str:
        return self.texts[int(self.codes[index])]

    def tolist(self) -> list[str]:
        """Return them all."""
        return list(map(self.texts.__getitem__, self.codes.tolist()))
