"""The sentences about a set of classes: they agree with the probabilities, the warnings and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irislib._common.formatting import format_share, join_words
from irislib._common.messages.insights import TEXTS
from irislib._modeling.prediction import SURE

if TYPE_CHECKING:
    from irislib._modeling.prediction import Prediction

__all__ = ["describe_classes", "describe_coverage"]

MAX_NAMES = 5  # in a sentence; more classes are counted


def describe_classes(prediction: Prediction, names: Sequence[str]) -> str:
    """Describe which classes come into question for a row.

    Parameters
    ----------
    prediction : Prediction
        With probabilities.
    names : sequence of str
        The classes in the set, the likeliest first; the predicted one is among them.
    """
    name, shares = str(prediction.prediction), _shares(prediction)
    likeliest, *rest = shares
    others = [label for label in names if label != name]
    if prediction.is_outside_training:
        return TEXTS["set.outside"].format(name=name)
    if prediction.is_near_tie:
        pair = [likeliest, rest[0]]
        more = [label for label in names if label not in pair]
        key = "set.tie_of_more" if more else "set.tie"
        return TEXTS[key].format(first=pair[0], second=pair[1], others=_join(more))
    if shares[likeliest] > shares[name]:
        return TEXTS["set.less_likely"].format(name=name, other=likeliest, share=format_share(shares[likeliest]))
    if others:
        is_all = len(names) == len(shares) > 2
        return TEXTS["set.all" if is_all else "set.several"].format(name=name, others=_join(others))
    if rest and shares[name] < SURE:
        return TEXTS["set.unsure"].format(name=name, other=rest[0], share=format_share(shares[rest[0]]))
    return TEXTS["set.sure"].format(name=name)


def describe_coverage(prediction: Prediction, names: Sequence[str], coverage: str, counts: str) -> str:
    """Describe how often such a set of classes is right: on average, which promises nothing for an unclear row."""
    if prediction.is_outside_training:
        return TEXTS["set.coverage_outside"]
    key_of_names = "set.one" if len(names) == 1 else "set.more" if len(names) <= MAX_NAMES else "set.these"
    classes = TEXTS[key_of_names].format(names=join_words(names, TEXTS["and"]), count=len(names))
    key = "set.coverage" if _holds_likely(prediction, names) else "set.coverage_unclear"
    return TEXTS[key].format(classes=classes, coverage=coverage, counts=counts)


def _holds_likely(prediction: Prediction, names: Sequence[str]) -> bool:
    """Return True if a set lacks no class that is likely: for an unclear row it can, and yet be right on average."""
    shares = _shares(prediction)
    likely = [label for label in shares if shares[label] > shares[str(prediction.prediction)]]
    if prediction.is_near_tie:
        likely += list(shares)[:2]
    return set(likely) <= set(names) and (len(names) > 1 or shares[names[0]] >= SURE)


def _join(names: Sequence[str]) -> str:
    return join_words(names, TEXTS["or"]) if len(names) <= MAX_NAMES else TEXTS["set.many"].format(count=len(names))


def _shares(prediction: Prediction) -> dict[str, float]:
    """Return the probabilities by the names of the classes, the likeliest first."""
    items = sorted((prediction.probabilities or {}).items(), key=lambda item: -item[1])
    return {str(label): share for label, share in items}
