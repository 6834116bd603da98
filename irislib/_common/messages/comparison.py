"""Texts about two versions of a model: their comparison, and why a new one is refused."""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    # differences of the inputs
    "schema.removed": "{name}: removed",
    "schema.added": "{name}: added",
    "schema.changed": "{name}: {before} before, {after} now",
    "schema.same": "the same",
    # the rows on which two versions are compared
    "rows.none": "There are no rows on which they can be compared: {reason}.",
    "rows.columns": "they have different inputs. Give rows that neither was trained on",
    "rows.kinds": "one predicts classes, the other numbers",
    "rows.seen": "of {count:,} held-out rows each is one that either version was trained on, or may have been",
    "rows.seen_data": "of {count:,} rows each is one that either version was trained on",
    "rows.invalid": "the held-out rows of one are not valid for the other",
    "rows.left_out": "{count:,} others were left out: one of the versions was trained on them, or may have been",
    # the sentence
    "text": "On {rows:,} rows that neither was trained on, {metric} is {difference} "
    "({confidence:.0%} interval {low} to {high}); {changed}.",
    "changed.one": "1 answer changes",
    "changed": "{count:,} answers change",
    "text.same": "On {rows:,} rows that neither was trained on, all answers are the same.",
    "text.more": "{size} higher",
    "text.less": "{size} lower",
    "text.equal": "the same",
    "points": "{size:.1f} percentage points",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "mean_absolute_error": "mean absolute error",
    "mcnemar": "Right now and wrong before: {after:,}; wrong now and right before: {before:,} "
    "(McNemar's exact test: p = {p})",
    # sections of a report
    "title": "{name}: {before} and {after}",
    "section.inputs": "Inputs",
    "section.data": "Data",
    "section.classes": "Classes",
    "section.fast": "Fast form",
    "section.metrics": "Performance",
    "section.changes": "Answers that change, the largest changes first",
    "data.rows": "{before} rows before, {after} now",
    "data.same": "the same {rows} rows",
    "data.other": "other rows, {rows} as before",
    "classes.lost": "lost: {names}",
    "classes.gained": "gained: {names}",
    "fast.lost": "lost: {reason}",
    "fast.gained": "gained",
    "fast.kept": "as before",
    "changes.none": "none",
    "changes.more": "and {count:,} more",
    # of a prediction log
    "requests.compared": "Real requests: {after} and {before} were both asked {count} of them, and differ in "
    "{different} ({share}).",
    "requests.difference": " On average they differ by {mean}.",
    "requests.answered": "Real requests: {before} has answered {before_fact} of them, and {after} {after_fact}.",
    "requests.right": "Of {count} whose right answer is known, {before} was right in {before_fact} and {after} in "
    "{after_fact}.",
    "requests.error": "In {count} whose right answer is known, the mean absolute error of {before} was {before_fact}, "
    "and that of {after} {after_fact}.",
    "requests.none": "The prediction log has no answers of both {before} and {after}.",
    # the gate
    "gate.accepted": "It is not worse than {before} beyond the margin: {text}",
    "gate.schema": "Its inputs or its target are not the same ({changes}).",
    "gate.classes": "It has lost classes: {names}.",
    "gate.rows": "It cannot be compared with {before}: {reason}.",
    "gate.few": "Neither it nor {before} was trained on {rows} rows only, and it takes {fewest} to compare them.",
    "gate.worse": "It may be worse than {before} beyond the margin of {margin}: {text}",
    "gate.former": "It is worse than {before} beyond the margin of {margin} on the rows that {before} was tested on.",
    "gate.baseline": "It has learnt nothing: on its held-out rows it is no better than {baseline}, and {before} is.",
    "gate.baseline.class": "always answering the commonest class",
    "gate.baseline.number": "always answering the median",
    "gate.fast": "It has no fast form, and {before} has one: {reason}",
    "margin.points": "{margin:g} percentage points",
    "margin.share": "{margin:g} % of the mean absolute error",
}

TEXTS = Texts("comparison", ENGLISH)
