"""Texts about values, rows and predictions: what is expected, and what is wrong.

A message about a value completes the sentence that begins with the feature's name.
"""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    # limits
    "at_least": "at least {low}",
    "above": "above {low}",
    "at_most": "at most {high}",
    "below": "below {high}",
    "and": " and ",
    # any kind
    "missing": "is missing: expected {expected}.",
    "wrong": "must be {expected}, got {value}.",
    "beyond": "must be {limits}, got {value}.",
    "yes": "yes",
    "no": "no",
    # rows
    "rows.type": "Expected a mapping of feature names to values, a list of those, or a DataFrame, got {type}.",
    "rows.too_many": "At most {limit} rows at once, got {count}.",
    "rows.one": "Expected one row, got {count}. For several, use predict.",
    "rows.none": "Expected at least one row, got none.",
    "rows.repeated": "{name} is there more than once.",
    "rows.unknown": "Unknown feature {name!r}. {hint}",
    "rows.near": "Did you mean {name!r}?",
    "rows.known": "Known: {names}.",
    "list.more": "{first}, … ({count} in all)",
    # beyond the training data
    "warning.value": "{name} is {value}, which the training data do not contain.",
    "warning.range": "{name} is {value}, but the model was trained on {low} to {high} only.",
    "warning.row": "Each value is a usual one, but not all of them together: {share} of the rows that the model was "
    "trained on are less unusual.",
    "warning.value_given": "{name} is {value}, which the rows that came with the model do not contain.",
    "warning.range_given": "{name} is {value}, but the rows that came with the model have {low} to {high} only.",
    "warning.row_given": "Each value is a usual one, but not all of them together: {share} of the rows that came with "
    "the model are less unusual.",
    "warning.tie": "It is nearly a tie between {first} ({first_share}) and {second} ({second_share}).",
    # predictions
    "headline": "{target}: {answer}",
    "answer.class": "{prediction}, {share}",
    "answer.number": "{prediction}, likely {low} to {high}",
    "above_threshold": "{prediction}, for {share} is above its threshold of {threshold}",
    "below_threshold": "{prediction}, for {share} for {label} is below the threshold of {threshold}",
    "not_trainable": "{model} was fitted elsewhere, so that it cannot be trained again here.",
    "not_trainable_file": "{model} came in a file, without the function that loads its data, so that it cannot be "
    "trained again here.",
    "no_prediction": "The model gives no answer for these values.",
    "no_classes": "{model} predicts a number: it has no classes and no probabilities.",
    "no_probabilities": "{estimator} predicts classes without probabilities.",
    "no_test_rows": "The model came without rows, so that nothing can be measured or compared.",
    # one kind each
    "number": "a number",
    "number.comma": " Write it with a point, not a comma.",
    "number.either": " It could be {grouped} or {decimal}: write the one that is meant.",
    "number.mixed": "could be {grouped} or {decimal}, got {value!r}: this column has decimal commas as well as decimal "
    "points. Use one of them throughout.",
    "number.plain": " Write it as {number}.",
    "number.percent": " Write it without a percent sign, in the unit of this column: 0.12, say, for parts of 1.",
    "number.unit": " Write the number alone{unit}.",
    "number.formula": " Write the result of the formula; a spreadsheet program adds it when it saves the file.",
    "number.finite": "a finite number",
    "integer": "a whole number",
    "integer.long": "a whole number of at most 18 digits",
    "choice": "one of {choices}",
    "choice.near": " Did you mean {choice!r}?",
    "boolean": "true or false",
    "date": "a date",
    "date.example": "a date such as 2026-01-31",
    "date.either": "Its column does not show whether days or months come first.",
    "date.format": "Written as 2026-01-31.",
    "time": "a time",
    "time.example": "a time of day such as 14:30, without a time zone",
    "time.format": "Written as 14:30 or 14:30:15, without a time zone.",
    "text": "text",
    "email": "an e-mail address",
    "email.example": "an e-mail address such as ann@example.org",
    "email.placeholder": "name@example.org",
    "color": "a colour",
    "color.example": "a colour such as #772953",
    "color.format": "Written as #772953.",
    "range": "a range",
    "range.ends": "must have two ends such as 2 to 5, got {value}.",
    "range.order": "must go from the lower to the higher, got {value}.",
    "range.span": "{low} to {high}",
    "password": "a password",
    "password.wrong": "must be text.",
    "password.entered": "(entered)",
    "file": "a file",
    "file.wrong": "must be a file.",
    "file.size": "a file of {size} bytes",
    "file.limit": "At most {size} MB.",
}

TEXTS = Texts("validation", ENGLISH)
