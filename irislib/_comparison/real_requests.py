"""The answers of two versions to real requests, as a prediction log has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_count, format_share, format_value
from irislib._common.messages.comparison import TEXTS
from irislib._description.class_names import is_same_class
from irislib._prediction_log.reading import local_log, read_records
from irislib._prediction_log.records import SHADOW
from irislib._store.files import Root

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["RealRequests", "describe", "read_real_requests"]

Pair = tuple[Any, Any]


@dataclass
class RealRequests:
    """The answers of two versions to real requests.

    Attributes
    ----------
    pairs : dict of str to tuple
        Both answers to what one was asked and shown, and the other one was asked as its shadow, by the requests' ids.
    answered : Counter
        How many answers of each version were shown.
    right_answers : dict
        By the id of the request and the row of a batch.
    predictions : dict
        The version and the answer that were shown where the right answer is known.
    """

    pairs: dict[str, Pair] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    right_answers: dict[Pair, Any] = field(default_factory=dict)
    predictions: dict[Pair, Pair] = field(default_factory=dict)


def read_real_requests(before: Model, after: Model, root: Root) -> RealRequests:
    """Read what a prediction log says about two versions of a model.

    Raises
    ------
    DataError
        If there is no log, or it cannot be read.
    """
    result, versions = RealRequests(), (before.version, after.version)
    with local_log(root) as path:
        for record in read_records(path):
            if record.get("model") == before.spec.name and "right_answer" in record and "inputs" not in record:
                result.right_answers[record.get("request_id"), record.get("row")] = record["right_answer"]
        for record in read_records(path):
            version = record.get("version")
            if record.get("model") != before.spec.name or version not in versions:
                continue
            if record.get("route") == SHADOW:
                other = record.get("shown") or {}
                answers = {version: record.get("prediction"), other.get("version"): other.get("prediction")}
                if len(answers) == 2 and all(name in answers for name in versions):
                    result.pairs[record["request_id"]] = answers[versions[0]], answers[versions[1]]
            elif "inputs" in record:
                result.answered[version] += 1
                if (key := (record.get("request_id"), record.get("row"))) in result.right_answers:
                    result.predictions[key] = version, record.get("prediction")
    return result


def describe(before: Model, after: Model, requests: RealRequests) -> str:
    """Return in sentences how two versions have answered; empty if the log has nothing about both."""
    pairs = list(requests.pairs.values())
    sentences = [_compared(before, after, pairs)] if pairs else []
    known = [(*pair, requests.right_answers[key, None]) for key, pair in requests.pairs.items()
             if (key, None) in requests.right_answers]  # fmt: skip
    if known:
        *answers, true = map(list, zip(*known, strict=True))
        facts = [_quality(before, one, true) for one in answers]
        sentences.append(_worded("right", before, after, facts, len(known)))
    elif all(requests.answered[model.version] for model in (before, after)):
        counts = [format_count(requests.answered[model.version]) for model in (before, after)]
        sentences.append(_worded("answered", before, after, counts, 0))
        by_version = [
            [(value, requests.right_answers[key]) for key, (version, value) in requests.predictions.items()
             if version == model.version] for model in (before, after)
        ]  # fmt: skip
        if all(by_version):
            facts = [_quality(before, *map(list, zip(*one, strict=True))) for one in by_version]
            sentences.append(_worded("right", before, after, facts, sum(map(len, by_version))))
    return " ".join(sentences)


def _compared(before: Model, after: Model, pairs: Sequence[Pair]) -> str:
    different = sum(old != new for old, new in pairs)
    text = TEXTS["requests.compared"].format(
        count=format_count(len(pairs)), before=before.version, after=after.version,
        different=format_count(different), share=format_share(different / len(pairs)),
    )  # fmt: skip
    if before.classes is None:
        mean = sum(abs(old - new) for old, new in pairs) / len(pairs)
        text += TEXTS["requests.difference"].format(mean=f"{format_value(mean, 3)} {before.spec.target_unit}".rstrip())
    return text


def _quality(model: Model, answers: Sequence[Any], true: Sequence[Any]) -> str:
    """Return how often answers were right, or how far from it on average."""
    if model.classes is not None:
        right = sum(map(is_same_class, answers, true))
        return format_share(right / len(true))
    error = sum(abs(one - other) for one, other in zip(answers, true, strict=True)) / len(true)
    return f"{format_value(error, 3)} {model.spec.target_unit}".rstrip()


def _worded(key: str, before: Model, after: Model, facts: Sequence[str], count: int) -> str:
    if key == "right" and before.classes is None:
        key = "error"
    names = {"before": before.version, "after": after.version, "count": format_count(count)}
    return TEXTS[f"requests.{key}"].format(**names, before_fact=facts[0], after_fact=facts[1])
