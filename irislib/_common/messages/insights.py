"""The texts of the insights: titles, sentences, and what stands in their charts.

The names of a table's columns are not here: programs read them.
"""

__all__ = ["TEXTS"]

TEXTS = {
    # in several
    "guessing": "guessing",
    "held_out_rows": "rows that it had not seen",
    "explained": "how much of the differences between rows it explains, at most 1",  # what R² is
    "measure_explained": "{measure} ({meaning})",
    "interval": "{share} ({confidence:.0%} interval {low} to {high})",
    "left_empty": "left empty",
    "and": " and ",
    "or": " or ",
    # class_probabilities
    "class_probabilities.title": "How sure it is",
    "class_probabilities.text": "{prediction} with a probability of {probability}.",
    # confusion_matrix
    "confusion_matrix.title": "How often it is right, and what it confuses",
    "confusion_matrix.text": "{right} of {total} rows that it had not seen were predicted rightly, {interval}; always "
    "answering the commonest class would get {baseline}.",
    "confusion_matrix.balanced": "Of an average class {balanced} of the rows that it had not seen were found "
    "(balanced accuracy); always answering the commonest class, which {share} of the rows are of, would find "
    "{baseline}. {text}",
    # class_metrics
    "class_metrics.title": "How well it finds each class",
    "class_metrics.text": "Of the {support} rows of {name} that it had not seen, {recall} were found, the least of "
    "all classes; guessing by the classes' shares would find {baseline}.",
    "class_metrics.text_equal": "Of the rows of each class that it had not seen, {recall} were found; guessing by "
    "the classes' shares would find the class's share.",
    "class_metrics.axis": "share of the rows it had not seen, with 95% interval",
    # calibration
    "calibration.title": "Whether to trust its probabilities",
    "calibration.text": "Its predictions had a mean probability of {probability}, {right} of them were right; "
    "the Brier score is {score:.2f}, where 0 is best and predicting the classes' shares gets {baseline:.2f}.",
    "calibration.ideal": "as sure as it is right",
    "calibration.model": "this model, with 95% interval",
    "calibration.axis": "probability of the predicted class",
    # roc_curve and precision_recall_curve
    "roc_curve.title": "How well it tells a class from the rest",
    "roc_curve.measure": "area under the curve",
    "roc_curve.value": "{area:.2f} ({low:.2f} to {high:.2f})",
    "roc_curve.baseline": "guessing has 0.50",
    "precision_recall_curve.title": "What it costs to find more of a class",
    "precision_recall_curve.measure": "average precision",
    "precision_recall_curve.value": "{average:.2f} (guessing {baseline:.2f})",
    "precision_recall_curve.baseline": "guessing gets the class's share",
    "curves.text": "{name} is the hardest to tell from the rest: {measure} {value}; {baseline}.",
    "curves.text_equal": "No class is harder than another to tell from the rest: {measure} {value}; {baseline}.",
    "curves.scores": "{text} It has no probabilities: the curves follow the scores of its decision function.",
    # prediction_set
    "set.title": "What else it could be",
    "set.text": "With {coverage} stated coverage {classes}; the set should hold the true class at least that often, "
    "and {counts}.",
    "set.one": "it is {name} alone",
    "set.several": "it is {names}",
    "set.all": "no class can be ruled out",
    "set.counts": "of {total} rows that it had not seen {within} did, {interval}",
    "set.axis": "probability; what reaches the line is in the set",
    "range.title": "How far off it may be",
    "range.text": "With {coverage} stated coverage it is {low} to {high}; the range should hold the true number that "
    "often, and {counts}.",
    # contributions
    "contributions.title": "Why this answer",
    "contributions.class": "{prediction} with {probability}, where {base} is the average",
    "contributions.number": "{prediction}, where {base} is the average",
    "contributions.reason": "{feature} is {value} (typical: {typical})",
    "contributions.text": "{start}, mostly because {reasons}",
    "contributions.others": "the other {count} features",
    "contributions.sampled": "{start}; the contributions are sampled, and within {error} or so",
    # smallest_changes
    "smallest_changes.title": "What would change it",
    "smallest_changes.change": "{feature} {value}",
    "smallest_changes.text": "It would be {became} instead of {now} with {change}",
    "smallest_changes.none": "none of one or two features",
    "smallest_changes.text_none": "It stays {now}: none of the {tried:,} changes of one or two features that were "
    "tried makes it another",
    "smallest_changes.text_nothing": "It stays {now}: there is nothing that may change",
    "smallest_changes.some": "{start}; there was time for {tried:,} of {total:,} changes, the smallest first",
    "smallest_changes.fixed_many": "{start}; {count} features stay as they are",
    "smallest_changes.fixed_one": "{start}; {names} stays as it is",
    "smallest_changes.fixed": "{start}; {names} stay as they are",
    # feature_importances and permutation_importance
    "importance.some": "{start} The picture shows the {count} largest of {total} features.",
    "feature_importances.title": "What the model relies on",
    "feature_importances.text": "The model relies most on {feature}; each bar is the mean over {trees} trees, each "
    "line their standard deviation: how much they differ.",
    "feature_importances.text_none": "The model's trees ask for no feature; each bar is the mean over {trees} trees, "
    "each line their standard deviation: how much they differ.",
    "permutation_importance.title": "What it could not do without",
    "permutation_importance.accuracy": "the share of right answers",
    "permutation_importance.text": "It could do without {feature} least: when that value is shuffled, its {measure} "
    "falls by {loss:.2f}; each bar is the mean over {repeats} shufflings, each line their standard deviation.",
    "permutation_importance.text_none": "It could do without each of them: whichever value is shuffled, its {measure} "
    "does not fall; each bar is the mean over {repeats} shufflings, each line their standard deviation.",
    # partial_dependence
    "partial_dependence.title": "How the answer moves",
    "partial_dependence.text": "{feature} moves the answer most: on average {output} is {first} and {second}, all else "
    "as it is.",
    "partial_dependence.text_none": "No feature by itself moves the answer.",
    "partial_dependence.some": "{start} There was time for {count} of {total} features, beginning with those that move "
    "a few rows most.",
    "partial_dependence.number": "the {target}",
    "partial_dependence.point": "{value} at {at}",
    # cross_validation
    "cross_validation.title": "How much it hangs on the rows it was trained on",
    "cross_validation.text": "Trained {times} times on other parts of the data{failed} its {measure} is {middle} in "
    "the middle, {low} at worst and {high} at best, on rows it has not seen; guessing has {baseline}.",
    "cross_validation.failed": " ({times} more times it failed)",
    "cross_validation.model": "the model, one point for each training",
    "cross_validation.axis": "{score} on rows it has not seen",
    # learning_curve
    "learning_curve.title": "Would more rows help",
    "learning_curve.start": "With {rows:.0f} training rows its {measure} on rows it has not seen is {score}",
    "learning_curve.text": "{start}, with {rows:.0f} it is {score}: more rows would probably help.",
    "learning_curve.text_hardly": "{start}, with {rows:.0f} it is {score}: more rows like these would hardly help.",
    "learning_curve.text_one": "{start}; with fewer it could not be trained.",
    # predicted_against_true
    "predicted_against_true.title": "How near its predictions are",
    "predicted_against_true.text": "On {rows} rows that it had not seen the prediction is off by {error} on average "
    "(large errors counting more, by {root}: RMSE); always answering the median would be off by {baseline}. R², "
    "{explained}, is {r2:.2f}.",
    # residuals
    "residuals.title": "How its errors are spread",
    "residuals.text_above": "At least {share:.0%} of the {rows} rows that it had not seen are off by no more than "
    "{most} (always answering the median: {baseline}); on average they are {mean} above the prediction.",
    "residuals.text_below": "At least {share:.0%} of the {rows} rows that it had not seen are off by no more than "
    "{most} (always answering the median: {baseline}); on average they are {mean} below the prediction.",
    "residuals.band": "{share:.0%} of the rows",
    # why there is none
    "no_classes_to_confuse": "{model} predicts a number: there are no classes to confuse.",
    "no_class_metrics": "{model} predicts a number: precision and recall are of classes.",
    "no_class_to_change": "{model} predicts a number: there is no class to change.",
    "no_number": "{model} predicts a class; see {instead}.",
    "no_probabilities": "{model} was evaluated without probabilities.",
    "no_scores": "{estimator} has no probabilities, and no score for each class to follow.",
    "one_class": "The rows that it had not seen are all of one class: there is nothing to tell apart.",
    "too_few_for_coverage": "{rows} rows that it had not seen are too few to state {coverage} coverage: it takes "
    "{needed}. Hold out more (test_size), or state less.",
    "no_forest": "{estimator} is no forest to take importances from; see permutation_importance.",
    "mixed_features": "What is before the forest mixes features, or makes a column that hardly ever changes; see "
    "permutation_importance.",
    "no_feature_to_move": "{model} has no feature with more than one value to go through.",
    "too_few_rows": "{model} has too few rows to be trained on parts of them.",
    "not_trainable_on_parts": "{model} cannot be trained on parts of its data.",
    "not_trainable_on_fewer": "{model} cannot be trained on fewer rows than it has.",
}
