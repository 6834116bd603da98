"""The HTML representation of a spec or a model in a notebook: a short table without scripts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from irislib._common.formatting import format_count, format_share, format_value, shorten_list, within_sentence
from irislib._common.language import current_language
from irislib._common.messages.notebook import TEXTS
from irislib._description.translation import translated

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model

__all__ = ["model_html", "spec_html"]


def spec_html(spec: ModelSpec) -> str:
    """The title, target and features of a spec."""
    spec = translated(spec, current_language())
    return _html(spec, [TEXTS["predicts"].format(target=_target(spec))])


def model_html(model: Model) -> str:
    """The title, target, features and evaluation of a model."""
    spec = translated(model.spec, current_language())
    if model.classes is None:
        target = _target(spec)
    else:
        target = f"{within_sentence(spec.target_label)}: {shorten_list(list(map(str, model.classes)))}"
    date = format_value(dt.date.fromisoformat(model.trained_at[:10]))
    if model.is_fitted_elsewhere:
        version = TEXTS["version_fitted"].format(version=model.version, date=date)
    else:
        rows = format_count(model.data["training_rows"])
        version = TEXTS["version"].format(version=model.version, date=date, rows=rows)
    return _html(spec, [TEXTS["predicts"].format(target=target), _evaluation_sentence(model), version])


def _target(spec: ModelSpec) -> str:
    label = within_sentence(spec.target_label)
    return f"{label} ({spec.target_unit})" if spec.target_unit else label


def _evaluation_sentence(model: Model) -> str:
    if not model.is_evaluated:
        return TEXTS["not_evaluated"]
    metrics, rows = model.evaluation.metrics, format_count(len(model.evaluation.y_true))
    if "accuracy" in metrics:
        shares = {name: format_share(value) for name, value in metrics.items()}
        key = "balanced_accuracy" if model.evaluation.is_unbalanced else "accuracy"
        return TEXTS[key].format(rows=rows, **shares)
    errors = {
        name: f"{format_value(metrics[name], 3)} {model.spec.target_unit}".rstrip()
        for name in ("mean_absolute_error", "baseline_mean_absolute_error")
    }
    return TEXTS["error"].format(rows=rows, **errors)


def _html(spec: ModelSpec, sentences: Iterable[str]) -> str:
    from markupsafe import Markup

    head = [TEXTS[key] for key in ("feature", "unit", "allowed", "required")]
    rows = [
        (feature.label, feature.unit, feature.expected, TEXTS["yes" if feature.required else "no"])
        for feature in spec.features
    ]
    html = Markup("<div><h3>{}</h3>{}<table><thead>{}</thead><tbody>{}</tbody></table></div>").format(
        spec.title,
        Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in sentences),
        _table_row(head, "th"),
        Markup("").join(_table_row(row, "td") for row in rows),
    )
    return str(html)


def _table_row(texts: Sequence[str], tag: str) -> str:
    from markupsafe import Markup, escape

    cells = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
    return Markup(f"<tr>{cells}</tr>")  # noqa: S704 - each text is escaped
