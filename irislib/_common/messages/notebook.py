"""Texts of the table with which a notebook shows a spec or a model."""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    "predicts": "Predicts {target}.",
    "accuracy": "{accuracy} of {rows} test rows are predicted correctly; always predicting the most common class "
    "would get {baseline_accuracy}.",
    "balanced_accuracy": "Of an average class {balanced_accuracy} are found in {rows} test rows (balanced accuracy); "
    "always predicting the most common class would find {baseline_balanced_accuracy}. {accuracy} are predicted "
    "correctly, where it would get {baseline_accuracy}.",
    "error": "Off by {mean_absolute_error} on average for {rows} test rows; always predicting the median would be off "
    "by {baseline_mean_absolute_error}.",
    "not_evaluated": "It came without rows, so that nothing is known of how well it does.",
    "version": "Version {version}, trained on {date} with {rows} rows.",
    "version_fitted": "Version {version}, fitted elsewhere; irislib got it on {date}.",
    "feature": "Feature",
    "unit": "Unit",
    "allowed": "Allowed",
    "required": "Required",
    "yes": "yes",
    "no": "no",
}

TEXTS = Texts("notebook", ENGLISH)
