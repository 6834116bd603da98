"""The texts of the model card."""

__all__ = ["TEXTS"]

TEXTS = {
    "about.citation": "Cite it as",
    "about.cite": "{title}, version {version}, trained {day}.",
    "about.cite_fitted": "{title}, version {version}, fitted elsewhere, {day}.",
    "about.fitted": "Fitted elsewhere; here since",
    "about.contact": "Who answers for it",
    "about.estimator": "Estimator",
    "about.license": "License",
    "about.made_with": "Made with",
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
    "classes.text": "Recall: of the rows that are of a class, the share that was found. Precision: of "
    "those that were called so, the share that is. In parentheses their {confidence:.0%} "
    "intervals; guessing by the classes' shares gets for both what is said under Guessing.",
    "classes.title": "How well it finds each class",
    "data.counts": "{rows} rows. It was trained on {trained} of them; the other {held_out}, drawn at "
    "random, were held out to measure how well it does.",
    "data.fitted": "It was fitted elsewhere, on rows that are not known here. How well it does was measured on "
    "{held_out} rows that came with it, which it was not trained on, as its author says.",
    "data.fitted_with_rows": "It was fitted elsewhere, on {trained} rows. How well it does was measured on {held_out} "
    "other rows that came with it, which it was not trained on, as its author says.",
    "data.missing": "Its description does not say where the data come from.",
    "data.title": "Data",
    "evaluation.commonest": "Always answering the commonest class",
    "evaluation.interval": "{confidence:.0%} interval",
    "evaluation.measure": "Measure",
    "evaluation.median": "Always answering the median",
    "evaluation.model": "This model",
    "evaluation.title": "How well it does",
    "heading": "Model card",
    "inputs.coverage": "Training data cover",
    "inputs.coverage_given": "The rows that came with it cover",
    "inputs.expected": "What it must be",
    "inputs.label": "What it is",
    "inputs.name": "Name",
    "inputs.required": "Needed",
    "inputs.text": "What is not what it must be is refused. Names are those of the columns, and of the "
    "fields of a request.",
    "inputs.title": "Inputs",
    "inputs.unit": "Unit",
    "inputs.unknown": "not recorded",
    "lead.classes": "Predicts {target}: {classes}.",
    "lead.number": "Predicts {target}, a number.",
    "lead.unit": "Predicts {target}, a number in {unit}.",
    "limits.classes": "It always answers one of its {count} classes, whatever it is asked about.",
    "limits.missing": "Its description does not say when not to use it.",
    "limits.number": "It was measured on rows whose {target} is {span}. How well it does beyond that is not known.",
    "limits.range": "A value beyond what the training data cover (the table of inputs says what that is) "
    "is answered with a warning, and the answer is a guess.",
    "limits.range_given": "A value beyond what the rows that came with it cover (the table of inputs says what that "
    "is) is answered with a warning; whether it was trained on such values is not known here.",
    "limits.rows": "How well it does was measured over all rows that it had not seen, taken together; for"
    " some kinds of rows it may do worse.",
    "limits.rows_given": "How well it does was measured over all rows that came with it, taken together; for some "
    "kinds of rows it may do worse.",
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
