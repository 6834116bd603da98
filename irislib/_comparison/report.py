"""A comparison as text, as HTML and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, shorten_list
from irislib._common.language import column_label
from irislib._common.messages.comparison import TEXTS

if TYPE_CHECKING:
    from irislib._comparison.comparison import Comparison

__all__ = ["to_dict", "to_html", "to_text"]

MOST_CHANGES = 10  # rows in a report for people
MOST_SCHEMA = 30
ANSWERS = 4  # columns of the table of changes that follow those of the features


def to_text(comparison: Comparison) -> str:
    """Return a comparison as text for a terminal."""
    lines = [_title(comparison), comparison.text]
    for title, sentences in _sections(comparison):
        lines += ["", f"{title}:", *(f"  {sentence}" for sentence in sentences)]
    if comparison.metrics:
        table = comparison.frame.map(lambda number: f"{number:.4g}").to_string()
        lines += ["", f"{TEXTS['section.metrics']}:", *(f"  {line}" for line in table.splitlines())]
        lines += [f"  {sentence}" for sentence in _notes(comparison)]
    if comparison.metrics:
        lines += ["", f"{TEXTS['section.changes']}:"]
        rows = comparison.changes.head(MOST_CHANGES)
        table = rows.map(_cell).to_string(index=False) if len(rows) else TEXTS["changes.none"]
        lines += [f"  {line}" for line in [*table.splitlines(), *_more(comparison)]]
    return "\n".join(lines)


def to_html(comparison: Comparison) -> str:
    """Return a comparison as HTML for a notebook."""
    from markupsafe import Markup

    parts = [Markup("<h3>{}</h3><p>{}</p>").format(_title(comparison), comparison.text)]
    for title, sentences in _sections(comparison):
        items = Markup("").join(Markup("<li>{}</li>").format(sentence) for sentence in sentences)
        parts.append(Markup("<h4>{}</h4><ul>{}</ul>").format(title, items))
    if comparison.metrics:
        frame = comparison.frame.rename(index=_measure, columns=column_label)
        frame = frame.rename_axis(index=None, columns=column_label("metric"))
        table = Markup(frame.to_html(border=0, float_format="{:.4g}".format))  # noqa: S704 - pandas escapes
        notes = Markup("").join(Markup("<p>{}</p>").format(note) for note in _notes(comparison))
        parts.append(Markup("<h4>{}</h4>{}{}").format(TEXTS["section.metrics"], table, notes))
        rows = comparison.changes.head(MOST_CHANGES)
        names = [*rows.columns[:-ANSWERS], *map(column_label, rows.columns[-ANSWERS:])]  # those of features stay
        table = Markup(rows.map(_cell).set_axis(names, axis=1).to_html(border=0, index=False))  # noqa: S704 - pandas escapes
        more = " ".join(_more(comparison)) if len(rows) else TEXTS["changes.none"]
        parts.append(
            Markup("<h4>{}</h4>{}<p>{}</p>").format(TEXTS["section.changes"], table if len(rows) else "", more)
        )
    return str(Markup("").join(parts))


def to_dict(comparison: Comparison, most_changes: int) -> dict[str, Any]:
    """Return a comparison as JSON has it."""
    right = comparison.right
    changes = comparison.changes.head(most_changes)
    return {
        "name": comparison.name,
        "before": comparison.before,
        "after": comparison.after,
        "text": comparison.text,
        "schema": comparison.schema,
        "data": comparison.data,
        "lost_classes": [_plain(label) for label in comparison.lost_classes],
        "gained_classes": [_plain(label) for label in comparison.gained_classes],
        "fast_form": {side: not why for side, why in zip(("before", "after"), comparison.fast_forms, strict=True)},
        "rows": comparison.rows,
        "left_out": comparison.left_out,
        "metrics": {name: {**asdict(m), "difference": m.difference} for name, m in comparison.metrics.items()},
        "right": right and {"only_before": right[0], "only_after": right[1], "p_value": right[2]},
        "changed": len(comparison.changes),
        "changes": json.loads(changes.to_json(orient="records", date_format="iso", double_precision=15)),
    }


def _measure(name: str) -> str:
    return column_label(name.replace("_", " "))


def _title(comparison: Comparison) -> str:
    return TEXTS["title"].format(name=comparison.name, before=comparison.before, after=comparison.after)


def _sections(comparison: Comparison) -> list[tuple[str, list[str]]]:
    sections = [
        ("inputs", comparison.schema[:MOST_SCHEMA] or [TEXTS["schema.same"]]),
        ("data", [_data(comparison)]),
    ]
    if comparison.lost_classes or comparison.gained_classes:
        changed = {"lost": comparison.lost_classes, "gained": comparison.gained_classes}
        sentences = [
            TEXTS[f"classes.{key}"].format(names=shorten_list(list(map(str, labels))))
            for key, labels in changed.items()
            if labels
        ]
        sections.append(("classes", sentences))
    sections.append(("fast", [_fast(*comparison.fast_forms)]))
    return [(TEXTS[f"section.{key}"], sentences) for key, sentences in sections]


def _data(comparison: Comparison) -> str:
    before, after = comparison.data["before"], comparison.data["after"]
    if before["rows"] != after["rows"]:
        return TEXTS["data.rows"].format(before=f"{before['rows']:,}", after=f"{after['rows']:,}")
    key = "data.same" if before["digest"] == after["digest"] else "data.other"
    return TEXTS[key].format(rows=f"{after['rows']:,}")


def _fast(before: str, after: str) -> str:
    if bool(before) == bool(after):
        return TEXTS["fast.kept"]
    return TEXTS["fast.lost"].format(reason=after) if after else TEXTS["fast.gained"]


def _notes(comparison: Comparison) -> list[str]:
    notes = []
    if comparison.right:
        before, after, p = comparison.right
        notes.append(TEXTS["mcnemar"].format(before=before, after=after, p=f"{p:.2g}"))
    if comparison.left_out:
        notes.append(TEXTS["rows.left_out"].format(count=comparison.left_out))
    return notes


def _more(comparison: Comparison) -> list[str]:
    count = len(comparison.changes) - MOST_CHANGES
    return [TEXTS["changes.more"].format(count=count)] if count > 0 else []


def _cell(value: Any) -> str:
    return format_value(value, 4)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
