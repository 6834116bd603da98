"""The texts about drift: of the command and of the library."""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    "title": "Drift",
    "prediction": "prediction",
    "unlike": "unlike the training rows",
    "right": "right answers",
    "median": "median{unit}",
    "share": "share of {value}",
    "share_unlike": "share of rows",
    "accuracy": "accuracy",
    "error": "mean absolute error{unit}",
    "missing": "no value",
    "other": "other values",
    "axis": "population stability index",
    "none": "There is no drift in {rows} predictions.",
    "some": "There is drift in {count} of {compared} comparisons of {rows} predictions: {names}.",
    "few": "There are {rows} predictions, too few to tell drift from chance: it takes {needed}.",
    "answers": "Of {count} predictions the right answer is known: {now} right, {before} of the test rows.",
    "errors": "Of {count} predictions the right answer is known: the mean error is {now}, {before} on the test rows.",
    "few_answers": "Right answers are known for {count} predictions, too few to compare (it takes {needed}).",
    "unknown_answers": "{count} reports are about predictions that are not in the log.",
    "versions": "{count} predictions are by other versions: their inputs are compared, their answers are not.",
    "not_compared": "Not compared: {names}.",
    "reports": "Visitors reported {count} answers as wrong.",
    "sample": "The log is compared by {rows} of its {total} predictions.",
    "no_training_rows": "The training rows are unknown: the inputs are compared with the test rows.",
}

TEXTS = Texts("drift", ENGLISH)
