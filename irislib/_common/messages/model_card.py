"""The texts of the model card."""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    "about.citation": "Cite it as",
    "about.cite": "{title}, version {version}, trained {day}.",
    "about.cite_fitted": "{title}, version {version}, fitted elsewhere, {day}.",
    "about.fitted": "Fitted elsewhere; here since",
    "about.contact": "Contact",
    "about.estimator": "Estimator",
    "about.license": "License",
    "about.runs_with": "Runs with",
    "about.then": ", then ",
    "about.title": "Version and terms",
    "about.trained": "Trained",
    "about.version": "Version",
    "classes.baseline": "Guessing",
    "classes.interval": "{value} ({low} to {high})",
    "classes.name": "Class",
    "classes.precision": "Precision",
    "classes.recall": "Recall",
    "classes.rows": "Rows",
    "classes.text": "Recall: of the test rows that are of a class, the share that it found. Precision: of the test "
    "rows that it put into a class, the share that belongs there. In parentheses their {confidence:.0%} intervals. "
    "Guessing by the classes' shares would get for both what stands under Guessing.",
    "classes.title": "How well it finds each class",
    "data.counts": "{rows} rows. It was trained on {trained} of them; the other {held_out}, drawn at random, were "
    "set aside as test rows, to measure how well it does.",
    "data.fitted": "It was fitted elsewhere, on rows that are not known here. How well it does was measured on "
    "{held_out} rows that came with it, which it was not trained on, as its author says.",
    "data.fitted_with_rows": "It was fitted elsewhere, on {trained} rows. How well it does was measured on {held_out} "
    "other rows that came with it, which it was not trained on, as its author says.",
    "data.none": "It was fitted elsewhere, on rows that are not known here, and came without any.",
    "data.missing": "Its description does not say where the data come from.",
    "data.title": "Data",
    "evaluation.commonest": "Always answering the most common class",
    "evaluation.interval": "{confidence:.0%} interval",
    "evaluation.none": "It came without rows and was never evaluated here: nothing is known of how well it does.",
    "evaluation.measure": "Measure",
    "evaluation.median": "Always answering the median",
    "evaluation.model": "This model",
    "evaluation.title": "How well it does",
    "heading": "Model card",
    "pages": "Other pages",
    "apps": "Apps",
    "docs": "For programs",
    "inputs.coverage": "Training data cover",
    "inputs.coverage_given": "The rows that came with it cover",
    "inputs.expected": "What it must be",
    "inputs.label": "What it is",
    "inputs.name": "Name",
    "inputs.required": "Needed",
    "inputs.text": "Any other value is refused. The names are those of the columns and of the fields of a request.",
    "inputs.title": "Inputs",
    "inputs.unit": "Unit",
    "inputs.unknown": "not recorded",
    "lead.classes": "Predicts {target}: {classes}.",
    "lead.number": "Predicts {target}, a number.",
    "lead.unit": "Predicts {target}, a number in {unit}.",
    "limits.classes": "It always answers one of its {count} classes, even for something that is none of them.",
    "limits.missing": "Its description does not say when not to use it.",
    "limits.no_warning": "What its training data cover is not known here, so that it answers without a warning for any "
    "value.",
    "limits.number": "It was measured on rows whose {target} is {span}. How well it does beyond that is not known.",
    "limits.range": "For a value beyond those in the training data (see the table of inputs) the answer is a guess, "
    "and comes with a warning.",
    "limits.range_given": "For a value beyond those of the rows that came with it (see the table of inputs) the answer "
    "comes with a warning; whether it was trained on such values is not known here.",
    "limits.rows": "How well it does was measured on all test rows together; for some kinds of rows it may do worse.",
    "limits.rows_given": "How well it does was measured on all rows that came with it, together; for some kinds of "
    "rows it may do worse.",
    "limits.threshold": "It answers {label} from a probability of {threshold} on, which need not be the largest.",
    "limits.title": "When not to use it",
    "limits.unseen": "The training data contain no row with {feature}: {values}.",
    "limits.unseen_given": "The rows that came with it contain none with {feature}: {values}.",
    "missing": "Its description does not say.",
    "navigation": "On this page",
    "no": "no",
    "or": " or ",
    "page": "{title}: model card",
    "purpose.title": "What it is for",
    "range": "{low} to {high}",
    "yes": "yes",
}

TEXTS = Texts("model_card", ENGLISH)
