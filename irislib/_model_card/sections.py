"""The sections of a model card: what a description and a training say, in sentences, tables and facts."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib import insights
from irislib._common import messages
from irislib._common.formatting import (
    MAX_WORDS,
    format_score,
    format_share,
    format_value,
    join_words,
    shorten_list,
    within_sentence,
)
from irislib._common.language import column_label
from irislib._common.messages.model_card import TEXTS
from irislib.errors import NotApplicableError, new_reference
from irislib.insights._confidence_intervals import CONFIDENCE, bootstrap, proportion_interval
from irislib.insights._phrases import format_target

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["CardSection", "lead", "sections"]

log = logging.getLogger(__name__)

NOTHING = "–"


@dataclass(frozen=True)
class CardSection:
    """One section of a card; the templates render each of its parts if there is one."""

    id: str
    title: str
    paragraphs: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    facts: dict[str, str] = field(default_factory=dict)


def lead(model: Model) -> str:
    target, unit = within_sentence(model.spec.target_label), model.spec.target_unit
    if model.classes is None:
        return TEXTS["lead.unit" if unit else "lead.number"].format(target=target, unit=unit)
    names = list(map(str, model.classes))
    classes = shorten_list(names) if len(names) > MAX_WORDS else join_words(names, TEXTS["or"])
    return TEXTS["lead.classes"].format(target=target, classes=classes)


def sections(model: Model) -> Iterator[CardSection]:
    spec = model.spec
    purpose = _paragraphs(spec.purpose) or [TEXTS["missing"]]
    yield CardSection("purpose", TEXTS["purpose.title"], purpose)
    yield CardSection("limits", TEXTS["limits.title"], _limit_paragraphs(model))
    yield _data_section(model)
    yield _features_section(model)
    if not model.is_evaluated:
        yield CardSection("evaluation", TEXTS["evaluation.title"], [TEXTS["evaluation.none"]])
    else:
        yield _guarded_section(model, "evaluation", _evaluation_section)
    if model.classes is not None and model.is_evaluated:
        yield _guarded_section(model, "classes", _classes_section)
    yield CardSection("about", TEXTS["about.title"], facts=_about_facts(model))


def _guarded_section(model: Model, name: str, make: Callable[[Model], CardSection]) -> CardSection:
    """Make a section; if it fails, a sentence with a reference to the log is in its place."""
    try:
        return make(model)
    except Exception:
        return CardSection(name, TEXTS[f"{name}.title"], [_report_failure(model)])


def _guarded_text(model: Model, insight: Callable[[Model], insights.Insight]) -> str:
    """Return the sentence of an insight; if it fails, one with a reference to the log."""
    try:
        return insight(model).text
    except NotApplicableError:
        raise
    except Exception:
        return _report_failure(model)


def _report_failure(model: Model) -> str:
    reference = new_reference()
    log.exception("reference %s: a part of the card of %s failed", reference, model.spec.name)
    return messages.TEXTS["callback_failed"].format(reference=reference)


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _limit_paragraphs(model: Model) -> list[str]:
    """Return the limits that the author states, and those of any model."""
    spec = model.spec
    is_known = model.knows_training_rows
    paragraphs = _paragraphs(spec.limits) or [TEXTS["limits.missing"]]
    if model.classes is None and model.is_evaluated:
        true = model.evaluation.y_true
        span = TEXTS["range"].format(
            low=format_value(true.min(), 4), high=f"{format_value(true.max(), 4)} {spec.target_unit}".rstrip()
        )
        paragraphs.append(TEXTS["limits.number"].format(target=within_sentence(spec.target_label), span=span))
    elif model.classes is not None:
        paragraphs.append(TEXTS["limits.classes"].format(count=len(model.classes)))
        if model.threshold:
            label, limit = model.threshold
            paragraphs.append(TEXTS["limits.threshold"].format(label=label, threshold=format_share(limit)))
    paragraphs += [
        TEXTS["limits.unseen" if model.knows_training_rows else "limits.unseen_given"].format(
            feature=feature.label, values=shorten_list(unseen)
        )
        for feature in spec.features
        if (unseen := _unseen(model, feature))
    ]
    if not model.is_evaluated:
        return [*paragraphs, TEXTS["limits.no_warning"]]
    paragraphs.append(TEXTS["limits.range" if is_known else "limits.range_given"])
    paragraphs.append(TEXTS["limits.rows_given" if model.is_fitted_elsewhere else "limits.rows"])
    return paragraphs


def _unseen(model: Model, feature: Feature) -> list[str]:
    """Return the possible choices that no training row has."""
    covered = model.coverage.get(feature.name, {}).get("values")
    if covered is None:
        return []
    return [feature.type.format(value) for value in feature.type.categories(feature) if value not in covered]


def _data_section(model: Model) -> CardSection:
    rows, trained = model.data["rows"], model.data["training_rows"]
    if not model.is_evaluated:
        counts = TEXTS["data.none"]
    elif model.is_fitted_elsewhere:
        held_out = len(model.evaluation.y_true)
        key = "data.fitted" if trained is None else "data.fitted_with_rows"
        counts = TEXTS[key].format(trained=trained, held_out=held_out)
    else:
        counts = TEXTS["data.counts"].format(rows=rows, trained=trained, held_out=rows - trained)
    source = _paragraphs(model.spec.source) or [TEXTS["data.missing"]]
    return CardSection("data", TEXTS["data.title"], [*source, counts])


def _features_section(model: Model) -> CardSection:
    head = [
        TEXTS["inputs.name"],
        TEXTS["inputs.label"],
        TEXTS["inputs.unit"],
        TEXTS["inputs.expected"],
        TEXTS["inputs.required"],
        TEXTS["inputs.coverage" if model.knows_training_rows else "inputs.coverage_given"],
    ]
    rows = [
        [
            feature.name,
            f"{feature.label}. {feature.help}".strip() if feature.help else feature.label,
            feature.unit or NOTHING,
            feature.expected,
            TEXTS["yes" if feature.required else "no"],
            _covered(model, feature),
        ]
        for feature in model.spec.features
    ]
    text = TEXTS["inputs.text"]
    return CardSection("inputs", TEXTS["inputs.title"], [text], head, rows)


def _covered(model: Model, feature: Feature) -> str:
    covered = model.coverage.get(feature.name)
    if covered is None:
        return TEXTS["inputs.unknown"]
    if "values" in covered:
        return shorten_list(list(map(feature.type.format, covered["values"])))
    low, high = (format_value(covered[end], 6) for end in ("low", "high"))
    return TEXTS["range"].format(low=low, high=f"{high} {feature.unit}".rstrip())


def _evaluation_section(model: Model) -> CardSection:
    if model.classes is None:
        paragraphs, baseline = (
            [_guarded_text(model, function) for function in (insights.predicted_against_true, insights.residuals)],
            "evaluation.median",
        )
    else:
        paragraphs, baseline = [_guarded_text(model, insights.confusion_matrix)], "evaluation.commonest"
        with suppress(NotApplicableError):
            paragraphs.append(_guarded_text(model, insights.calibration))
    metrics = model.evaluation.metrics
    head = [
        TEXTS["evaluation.measure"],
        TEXTS["evaluation.model"],
        TEXTS["evaluation.interval"].format(confidence=CONFIDENCE),
        TEXTS[baseline],
    ]
    rows = [
        [
            column_label(name.replace("r2", "R²").replace("_", " ")),
            _format_metric(model, name, value),
            _format_interval(model, name),
            _format_metric(model, name, metrics.get(f"baseline_{name}")),
        ]
        for name, value in model.evaluation.measures.items()
    ]
    return CardSection("evaluation", TEXTS["evaluation.title"], paragraphs, head, rows)


def _format_metric(model: Model, name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    return format_target(model, value) if _has_unit(name) else format_score(value)


def _has_unit(name: str) -> bool:
    return name.endswith("error")


def _format_interval(model: Model, name: str) -> str:
    """Format the interval of a measure of the held-out rows.

    There is none for balanced accuracy: where hardly any row was wrong, resampling the rows would feign certainty.
    """
    held_out = model.evaluation
    true, predicted = held_out.y_true, held_out.y_pred
    if name == "accuracy":
        ends: tuple[float, float] | None = proportion_interval(int((true == predicted).sum()), len(true))
    elif name in _MEASURES:
        ends = bootstrap(_MEASURES[name], (true, predicted), model.spec.random_state)
    else:
        ends = None
    if ends is None:
        return NOTHING
    low = format_value(ends[0], 3) if _has_unit(name) else _format_metric(model, name, ends[0])
    return TEXTS["range"].format(low=low, high=_format_metric(model, name, ends[1]))


def _r2(true: Any, predicted: Any, axis: int = -1) -> Any:
    spread = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - ((true - predicted) ** 2).sum(axis=axis) / spread


_MEASURES: dict[str, Callable[..., Any]] = {
    "r2": _r2,
    "mean_absolute_error": lambda true, predicted, axis=-1: abs(true - predicted).mean(axis=axis),
    "root_mean_squared_error": lambda true, predicted, axis=-1: ((true - predicted) ** 2).mean(axis=axis) ** 0.5,
}


def _classes_section(model: Model) -> CardSection:
    metrics = insights.class_metrics(model)
    head = [TEXTS[f"classes.{name}"] for name in ("name", "precision", "recall", "baseline", "rows")]

    def with_interval(row: dict[str, Any], name: str) -> str:
        if row[name] != row[name]:
            return NOTHING  # nothing was counted
        value, low, high = (format_score(row[key]) for key in (name, f"{name} from", f"{name} to"))
        return TEXTS["classes.interval"].format(value=value, low=low, high=high)

    rows = [
        [
            str(row["class"]),
            with_interval(row, "precision"),
            with_interval(row, "recall"),
            format_score(row["baseline"]),
            str(row["support"]),
        ]
        for row in metrics.frame.to_dict("records")
    ]
    text = TEXTS["classes.text"].format(confidence=CONFIDENCE)
    return CardSection("classes", TEXTS["classes.title"], [text, metrics.text], head, rows)


def _about_facts(model: Model) -> dict[str, str]:
    import sklearn

    from irislib import __version__

    spec = model.spec
    trained_at = dt.datetime.fromisoformat(model.trained_at)
    day = format_value(trained_at.date())
    trained, cite = ("fitted", "cite_fitted") if model.is_fitted_elsewhere else ("trained", "cite")
    steps = [step for _, step in getattr(model.estimator, "steps", [("", model.estimator)])]
    return {
        TEXTS["about.version"]: model.version,
        TEXTS[f"about.{trained}"]: f"{day} {trained_at:%H:%M} UTC",
        TEXTS["about.estimator"]: TEXTS["about.then"].join(type(step).__name__ for step in steps),
        TEXTS["about.runs_with"]: f"scikit-learn {sklearn.__version__}, irislib {__version__}",
        TEXTS["about.license"]: spec.license or TEXTS["missing"],
        TEXTS["about.contact"]: spec.contact or TEXTS["missing"],
        TEXTS["about.citation"]: TEXTS[f"about.{cite}"].format(title=spec.title, version=model.version, day=day),
    }
