"""Digests of the rows that a model was trained on and tested on, to tell later which rows it has seen."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["RowDigests", "known_rows", "row_digests", "to_facts", "unseen_rows"]

MOST = 5_000_000  # rows whose digests are kept with a model
BITS = 32  # two different rows of a million have one digest in 4,000 cases: a test row is left out needlessly then
GOLDEN, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


@dataclass(frozen=True, eq=False)
class RowDigests:
    """The digests of the rows that a model has seen.

    Attributes
    ----------
    training : ndarray of uint32 or None
        None if they are not known.
    test : ndarray of uint32
        In the order of the evaluation's rows.
    """

    training: np.ndarray | None
    test: np.ndarray

    def seen_in_training(self, digests: np.ndarray) -> np.ndarray:
        """Return which rows the model was trained on, or may have been."""
        import numpy as np

        return ~np.isin(digests, self.test) if self.training is None else np.isin(digests, self.training)


def row_digests(features: pd.DataFrame, target: np.ndarray) -> np.ndarray:
    """Return a digest of each row, of its values and its target, the same in every process.

    Equal rows are numbered, and their numbers are part of the digests: the second of two copies has a digest of its
    own, whatever the order of the rows.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_features)
        Checked rows.
    target : ndarray of shape (n_rows,)
        Of a classifier the codes that it predicts.

    Returns
    -------
    ndarray of uint32 of shape (n_rows,)
        Spread evenly over all values.

    Notes
    -----
    The last step is the finalizer of SplitMix64. Source: G. L. Steele, D. Lea and C. H. Flood (2014), Fast splittable
    pseudorandom number generators, OOPSLA, 453-472, doi:10.1145/2660193.2660195.
    """
    import numpy as np
    import pandas as pd

    if target.dtype.kind in "biuf":
        target = target.astype(float)  # a table may have 1 where another one has 1.0
    rows = features.reset_index(drop=True).assign(**{"\0target": target})
    hashes = pd.util.hash_pandas_object(rows, index=False)
    copies = hashes.groupby(hashes).cumcount().to_numpy(np.uint64)
    mixed = hashes.to_numpy() + copies * np.uint64(GOLDEN)
    for shift, factor in ((30, MIX_1), (27, MIX_2)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    digests: np.ndarray = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - BITS)).astype(np.uint32)
    return digests


def unseen_rows(digests: np.ndarray, known: RowDigests, test_size: float) -> np.ndarray:
    """Return which rows to hold out, so that none changes sides between two versions of a model.

    Rows that the former version was tested on stay held out, and those it was trained on do not. Which of the others
    are held out depends on their digests alone.

    Parameters
    ----------
    digests : ndarray of uint32 of shape (n_rows,)
    known : RowDigests
        Of the former version.
    test_size : float

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
    import numpy as np

    is_chosen = digests < test_size * 2**BITS
    is_unseen: np.ndarray = np.isin(digests, known.test) | (is_chosen & ~known.seen_in_training(digests))
    return is_unseen


def to_facts(training: np.ndarray, test: np.ndarray) -> dict[str, str]:
    """Return digests as they are kept among the facts of a model's data; none of very many rows."""
    if len(training) + len(test) > MOST:
        return {}
    return {"training": _to_text(training), "test": _to_text(test)}


def known_rows(model: Model) -> RowDigests:
    """Return the digests of the rows that a model has seen; without its training rows if it does not have them."""
    from irislib._description.class_names import to_codes

    held_out = model.evaluation
    facts: dict[str, Any] = {} if "evaluated_on" in model.data else model.data.get("row_digests") or {}
    training, test = _from_text(facts.get("training")), _from_text(facts.get("test"))
    if test is None or len(test) != len(held_out.y_true):
        test = row_digests(held_out.features, to_codes(model.spec.classes, held_out.y_true, "y_true"))
        training = _from_text((model.data.get("row_digests") or {}).get("training"))
    return RowDigests(training, test)


def _to_text(digests: np.ndarray) -> str:
    return base64.b64encode(digests.astype("<u4").tobytes()).decode()


def _from_text(text: Any) -> np.ndarray | None:
    import numpy as np

    if not isinstance(text, str):
        return None
    try:
        return np.frombuffer(base64.b64decode(text), "<u4")
    except ValueError:
        return None
