"""The fast form that is made of parts: a checked row in, an outcome out."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from irislib._compiled.fast_form import Outcome, RowPredictor

__all__ = ["ComposedForm"]


class Unread:
    """Stands for a value that no part may read: as a key or as a number it is an error."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class ComposedForm:
    """A fast form that is made of parts; a :class:`FastForm`.

    Attributes
    ----------
    predictor : RowPredictor
    single : tuple of int
        The positions of values that the estimator gets in single precision.
    unread : tuple of int
        The positions of dates, which arrive in another type than the proof has them.
    """

    predictor: RowPredictor
    single: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()

    def predict(self, values: Sequence[Any]) -> Outcome | None:
        """Predict one row; see :meth:`FastForm.predict`."""
        row = [nan if value is None else value for value in values]
        try:
            for i in self.single:
                row[i] = array("f", [row[i]])[0]
            for i in self.unread:
                row[i] = Unread()
            return self.predictor.predict(row)
        except Exception:  # scikit-learn itself answers, or says what is wrong
            return None
