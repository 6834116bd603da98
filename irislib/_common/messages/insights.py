"""The texts of the insights: titles, sentences, and what stands in their charts.

The names of a table's columns are not here: programs read them.
"""

from irislib._common.language import Texts

__all__ = ["TEXTS"]

ENGLISH = {
    # in several
    "guessing": "guessing",
    "test_rows": "test rows",
    "test_rows.trained": "Test rows are a part of the data that was set aside: the model was not trained on them.",
    "test_rows.fitted": "Test rows are those that came with the model.",
    "test_rows.given": "Test rows are those that were given to evaluate it.",
    "explained": "how much of the differences between rows it explains, at most 1",  # what R² is
    "measure_explained": "{measure} ({meaning})",
    "interval": "{share} ({confidence:.0%} interval {low} to {high})",
    "left_empty": "left empty",
    "and": " and ",
    "or": " or ",
    # class_probabilities
    "class_probabilities.title": "How sure is it?",
    "class_probabilities.text": "{prediction}, with a probability of {probability}.",
    # confusion_matrix
    "confusion_matrix.title": "How often is it right?",
    "confusion_matrix.text": "It was right for {right} of {total} test rows: {interval}. Always answering the most "
    "common class would be right for {baseline}. {test_rows}",
    "confusion_matrix.balanced": "On average over the classes, it found {balanced} of the test rows of a class "
    "(balanced accuracy); always answering the most common class, which {share} of them are of, would find "
    "{baseline}. {text}",
    # class_metrics
    "class_metrics.title": "How well does it find each class?",
    "class_metrics.text": "{name} is the hardest to find: it found {recall} of the {support} test rows of this class. "
    "Guessing by the classes' shares would find {baseline}.",
    "class_metrics.text_equal": "It found {recall} of the test rows of each class. Guessing by the classes' shares "
    "would find the class's share.",
    "class_metrics.axis": "share of the test rows, with 95% interval",
    # calibration
    "calibration.title": "Can its probabilities be trusted?",
    "calibration.text": "For the test rows its answers had an average probability of {probability}, and {right} of "
    "them were right. The Brier score is {score:.2f}; the best is 0, and predicting the classes' shares gets "
    "{baseline:.2f}.",
    "calibration.ideal": "as sure as it is right",
    "calibration.model": "this model, with 95% interval",
    "calibration.axis": "probability of the predicted class",
    # roc_curve and precision_recall_curve
    "roc_curve.title": "How well does it tell a class from the rest?",
    "roc_curve.measure": "area under the curve",
    "roc_curve.value": "{area:.2f} ({low:.2f} to {high:.2f})",
    "roc_curve.baseline": "guessing gets 0.50",
    "precision_recall_curve.title": "Finding more, against false alarms",
    "precision_recall_curve.measure": "average precision",
    "precision_recall_curve.value": "{average:.2f} (guessing {baseline:.2f})",
    "precision_recall_curve.baseline": "guessing gets the class's share",
    "curves.text": "{name} is the hardest to tell from the rest: {measure} {value}; {baseline}.",
    "curves.text_equal": "No class is harder than another to tell from the rest: {measure} {value}; {baseline}.",
    "curves.scores": "{text} It has no probabilities: the curves follow the scores of its decision function.",
    # decision_threshold and gains
    "decision_threshold.title": "From which probability on?",
    "decision_threshold.text": "It answers {label} from a probability of {threshold}: it finds {recall} of the "
    "{positives} test rows that are {label}, and {alarms} of its {answers} answers of {label} are false alarms.",
    "decision_threshold.no_threshold": "It has no threshold for the probability of {label}: its own answers find "
    "{recall} of the {positives} test rows that are {label}, and {alarms} of its {answers} answers of {label} are "
    "false alarms.",
    "decision_threshold.cheapest": "If missing one costs {ratio} a false alarm, {threshold} would be "
    "cheapest for these rows.",
    "decision_threshold.cheapest_now": "If missing one costs {ratio} a false alarm, nothing is cheaper for these rows.",
    "decision_threshold.ratio": "{ratio} times as much as",
    "decision_threshold.equal": "as much as",
    "decision_threshold.current": "now",
    "decision_threshold.cheapest_line": "cheapest",
    "decision_threshold.axis": "answered from this probability on",
    "gains.title": "How many are found first?",
    "gains.text": "Of the test rows, the {rows} with the highest probability of {label} hold {found} of all that are "
    "{label}: {lift} times as many as by chance.",
    "gains.model": "this model",
    "gains.best": "the best possible",
    "gains.x": "share of the test rows, the highest probabilities first",
    "gains.y": "share found",
    # prediction_set
    "set.title": "What else could it be?",
    "set.sure": "Most likely {name}: no other class comes close.",
    "set.unsure": "Most likely {name}, but not certain: {other} has {share}.",
    "set.several": "Most likely {name}, but {others} cannot be ruled out.",
    "set.all": "Most likely {name}, but none of the other classes can be ruled out.",
    "set.tie": "Either {first} or {second}: both are nearly as likely.",
    "set.tie_of_more": "Either {first} or {second}: both are nearly as likely, and {others} cannot be ruled out.",
    "set.less_likely": "The answer is {name}, though {other} is likelier ({share}).",
    "set.outside": "The answer is {name}, but these values are unlike those that the model knows: it may be another "
    "class as well.",
    "set.many": "{count} other classes",
    "set.one": "{names} alone",
    "set.more": "{names}",
    "set.these": "these {count} classes",
    "set.coverage": "A list of the likely classes, here {classes}, is made to contain the true class in {coverage} of "
    "cases on average; {counts}.",
    "set.coverage_unclear": "A list made to contain the true class in {coverage} of cases on average would be "
    "{classes} here; for an unclear case like this one, that average promises nothing.",
    "set.coverage_outside": "How often such an answer is right is known for usual values only.",
    "set.counts": "it did for {within} of {total} test rows, {interval}",
    "set.axis": "probability; what reaches the line is in the list",
    "range.title": "How far off can it be?",
    "range.text": "Most likely {low} to {high}. Such a range is made to contain the true number in {coverage} of cases "
    "on average; {counts}.",
    "range.outside": "Most likely {low} to {high}, but these values are unlike those that the model knows: it may "
    "be further off. How often such a range is right is known for usual values only.",
    # contributions
    "contributions.title": "Why this answer?",
    "contributions.class": "The probability of {prediction} is {probability} (on average {base})",
    "contributions.number": "{prediction} (on average {base})",
    "contributions.reason": "{feature} is {value}",
    "contributions.reason_unusual": "{feature} is {value} (typical: {typical})",
    "contributions.text": "{start}, mostly because {reasons}",
    "contributions.others": "the other {count} inputs",
    "contributions.points": "{number} percentage points",
    "contributions.exact": "{start}; the contributions are exact",
    "contributions.sampled": "{start}; the contributions are estimated from samples, to within about {error}",
    # comparison
    "comparison.title": "How do two answers differ?",
    "comparison.text": "The first is {first}; the second is {second}. They differ in {names}.",
    "comparison.text_same": "The first is {first}; the second is {second}. No input differs.",
    "comparison.more": "{count} more inputs",
    "comparison.first": "first",
    "comparison.second": "second",
    # what_if
    "what_if.title": "What if one value were another?",
    "what_if.text": "{feature} moves this answer most: at {low} it would be {low_answer}, at {high} {high_answer}.",
    "what_if.text_none": "None of the inputs that are tried here moves this answer by itself.",
    "what_if.lines": "Each line shows {measure}.",
    "what_if.answer": "{prediction}, {share}",
    # smallest_changes
    "smallest_changes.title": "What would change the answer?",
    "smallest_changes.change": "{feature} {value}",
    "smallest_changes.text": "It would be {became} instead of {now} with {change}",
    "smallest_changes.none": "none of one or two inputs",
    "smallest_changes.text_none": "It stays {now}: none of the {tried:,} changes of one or two inputs that were tried "
    "leads to another answer",
    "smallest_changes.text_nothing": "It stays {now}: no input may change",
    "smallest_changes.text_untried": "It stays {now}: no change was tried",
    "smallest_changes.untried": "{start}; other values of {names} were not tried",
    "smallest_changes.untried_many": "{start}; other values of {count} inputs were not tried",
    "smallest_changes.some": "{start}; there was time for {tried:,} of {total:,} changes, the smallest first",
    "smallest_changes.fixed_many": "{start}; {count} inputs stay as they are",
    "smallest_changes.fixed_one": "{start}; {names} stays as it is",
    "smallest_changes.fixed": "{start}; {names} stay as they are",
    # feature_importances and permutation_importance
    "importance.some": "{start} The chart shows the {count} strongest of {total} inputs.",
    "feature_importances.title": "What matters most?",
    "feature_importances.text": "The model uses {feature} most. Each bar is the average over its {trees} trees; the "
    "line shows how much the trees differ (standard deviation).",
    "feature_importances.text_none": "The model's trees use no input. Each bar is the average over its {trees} trees; "
    "the line shows how much the trees differ (standard deviation).",
    "permutation_importance.title": "What would it miss most?",
    "permutation_importance.accuracy": "the share of right answers",
    "permutation_importance.text": "{feature}: when its values are shuffled among the test rows, the {measure} falls "
    "by {loss}. Each bar is the average over {repeats} shuffles; the line shows how much they differ (standard "
    "deviation).",
    "permutation_importance.text_none": "None by itself: whichever input is shuffled among the test rows, the "
    "{measure} does not fall. Each bar is the average over {repeats} shuffles; the line shows how much they differ "
    "(standard deviation).",
    # partial_dependence
    "partial_dependence.title": "How does each input affect the answer?",
    "partial_dependence.text": "{feature} affects the answer most: when it changes from {start} to {stop} and nothing "
    "else does, {output} goes from {first} to {second} on average.",
    "partial_dependence.text_none": "None of the inputs that are tried here affects the answer by itself.",
    "partial_dependence.some": "{start} There was time for {count} of {total} inputs; those that seem to matter most "
    "came first.",
    "partial_dependence.classes": "{start} The charts show the {count} of {total} classes that change most: {names}. "
    "The numbers are of all {total}.",
    "partial_dependence.more": "{name}, and {count} more",
    "partial_dependence.number": "the {target}",
    "partial_dependence.probability": "the probability of {name}",
    # cross_validation
    "cross_validation.title": "How stable is it?",
    "cross_validation.text": "Trained {times} times on different parts of the data{failed} and tried on the rest, its "
    "{measure} is between {low} and {high}, and {middle} in the middle. Guessing has {baseline}.",
    "cross_validation.failed": " (and {times} more times without success)",
    "cross_validation.model": "the model, one point for each training",
    "cross_validation.axis": "{score} on rows it was not trained on",
    # learning_curve
    "learning_curve.title": "Would more data help?",
    "learning_curve.start": "With {rows} training rows its {measure} on other rows is {score}",
    "learning_curve.text": "Probably yes. {start}; with {rows} it is {score}.",
    "learning_curve.text_hardly": "Hardly, if it is like these rows. {start}; with {rows} it is {score}.",
    "learning_curve.text_one": "{start}; with fewer it could not be trained.",
    # predicted_against_true
    "predicted_against_true.title": "How close are its answers?",
    "predicted_against_true.text": "For {rows} test rows its answers are off by {error} on average ({root} where large "
    "errors count more: RMSE); always answering {whose} would be off by {baseline}. R², {explained}, is {r2:.2f}. "
    "{test_rows}",
    # residuals
    "residuals.title": "How large are its errors?",
    "residuals.text_above": "At least {share:.0%} of the {rows} test rows are off by no more than {most} (always "
    "answering {whose}: {baseline}). On average the true number is {mean} above the answer.",
    "residuals.text_below": "At least {share:.0%} of the {rows} test rows are off by no more than {most} (always "
    "answering {whose}: {baseline}). On average the true number is {mean} below the answer.",
    "residuals.median": "the median",
    "residuals.own_median": "these rows' own median",
    "residuals.band": "{share:.0%} of the rows",
    # why there is none
    "not_two_classes": "{model} has {count} classes; a threshold is for two.",
    "no_classes_to_confuse": "{model} predicts a number: there are no classes to confuse.",
    "no_class_metrics": "{model} predicts a number: precision and recall are of classes.",
    "no_class_to_change": "{model} predicts a number: there is no class to change.",
    "no_number": "{model} predicts a class; see {instead}.",
    "no_probabilities": "{model} was evaluated without probabilities.",
    "no_scores": "{estimator} has no probabilities, and no score for each class to follow.",
    "one_class": "The test rows are all of one class: there is nothing to tell apart.",
    "too_few_for_coverage": "{rows} test rows are too few for a coverage of {coverage}: it takes {needed}. Set "
    "aside more of them (test_size), or ask for a lower coverage.",
    "no_forest": "{estimator} is no forest, so that it has no importances of this kind; see permutation_importance.",
    "mixed_features": "The steps before the forest mix inputs, or make a column that hardly ever changes; see "
    "permutation_importance.",
    "no_feature_to_move": "{model} has no input with more than one value to go through.",
    "mixtures_refused": "This needs rows that are mixed of several others, and {model} gives no answer for some of "
    "them.",
    "too_few_rows": "{model} has too few rows to be trained on parts of them.",
    "not_trainable_on_parts": "{model} cannot be trained on parts of its data.",
    "not_trainable_on_fewer": "{model} cannot be trained on fewer rows than it has.",
}

TEXTS = Texts("insights", ENGLISH)
