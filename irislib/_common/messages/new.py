"""Texts of `irislib new`: what was seen in a table and what to do, and what the command prints."""

__all__ = ["COMMAND", "ESTIMATOR_FILE", "EXAMPLE", "FINDINGS", "FITTED", "MEASURES", "REASONS", "SOURCE", "TEXTS"]

# By kind, the most important first: what was seen, and what was done about it or what to do.
FINDINGS: dict[str, tuple[str, str]] = {
    "no_better": (
        "The model is no better than always answering the commonest class: look for inputs that can tell {target} "
        "before anybody relies on it.",
        "",
    ),
    "no_better_number": (
        "The model is no better than always answering the median: look for inputs that can tell {target} before "
        "anybody relies on it.",
        "",
    ),
    "leak": (
        "{column} alone tells {target} almost without fail ({score} on rows held out for this).",
        "It is left out, for it looks like the answer itself. If it is known before {target} is, take it back.",
    ),
    "leak_name": (
        "The name of {column} contains that of {target}, and alone it tells much of it ({score}).",
        "It is left out, for it may be known only together with {target}. If it is known before, take it back.",
    ),
    "strong": (
        "{column} alone tells {target} nearly as well as can be ({score}).",
        "Make sure that it is known before {target} is; if not, take it out.",
    ),
    "near_perfect": (
        "The model tells {target} almost without fail ({score} on {rows} rows held out for this), as few do.",
        "Make sure that each input is known before {target} is, and take out those that are not.",
    ),
    "never": (
        "The model answers {classes} for none of the {rows} test rows.",
        "Collect more rows of such {target}, look for inputs that tell it, or give it more weight: "
        'class_weight="balanced" of the last part of the estimator.',
    ),
    "computed": (
        "{target} can be computed from {columns} (R² {score} on rows held out for this).",
        "Make sure that they are known before {target} is; those that are not, take out.",
    ),
    "same_gaps": (
        "{column} is empty in {share} of the rows in which {target} is, and hardly in any other.",
        "It may be known only together with {target}. If it is not known before, take it out.",
    ),
    "one_row_class": (
        "{count} of {target} with a single row: {classes}.",
        "Nothing can be learnt of one row and measured as well; load_data leaves such rows out. Collect more, or join "
        "classes.",
    ),
    "few_rows": (
        "There are only {rows} rows.",
        "What is measured on a fifth of them is a rough guess. Collect more before you rely on it.",
    ),
    "groups": (
        "{column} names {groups} cases with {rows} rows in all.",
        "A random test row has relatives among the training rows, so that the model looks better than it is on new "
        "cases. Measure it with GroupKFold as well, or keep one row of each in load_data.",
    ),
    "time_order": (
        "The rows are in the order of {column}.",
        "If the model shall predict what comes later, random test rows make it look better than it is. Measure it on "
        "the last rows as well: irislib.Model.evaluated_on.",
    ),
    "rare_class": (
        "{classes}: so few rows of {target} can hardly be learnt.",
        "Collect more of them, join them with others, or leave them out in load_data.",
    ),
    "conflicts": (
        "Rows that have the same inputs as another one, but another {target}: {count}.",
        "No model can be right about all of them: is an input missing, or a {target} wrong?",
    ),
    "many_classes": (
        "{target} has {count} different classes.",
        "Pages and charts for so many are long. Are they all needed, or are they numbers or names?",
    ),
    "imbalance": (
        "Only {share} of the rows have {target} {value}.",
        "Accuracy says little then; see the balanced accuracy. The probabilities are left as they are: choose from "
        "which on to say {value} with threshold=.",
    ),
    "target_gaps": (
        "{target} is missing in {count} of {rows} rows.",
        "Nothing can be learnt of them; load_data leaves them out.",
    ),
    "target_infinite": (
        "{target} is infinite in {count} rows.",
        "Nothing can be learnt of them; load_data leaves them out.",
    ),
    "target_codes": (
        "{target} holds the whole numbers {values}.",
        "They are taken for classes. Name them with classes=; if they are amounts, put a regressor into the place of "
        "the classifier.",
    ),
    "target_few": (
        "{target} holds only {count} different whole numbers, {values}.",
        "They are taken for amounts, as its name says. If they are classes, use a classifier.",
    ),
    "positive": (
        "{value} is taken for the class of {target} that is looked for.",
        "If it is the other one, change positive_class.",
    ),
    "skewed_target": (
        "Most values of {target} are small and a few are very large (median {median}, largest {largest}).",
        "Try TransformedTargetRegressor(ESTIMATOR, func=np.log1p, inverse_func=np.expm1), which learns its logarithm.",
    ),
    "unused": (
        "{column} cannot be an input: {reason}",
        "It is left out. Turn it into numbers or text in load_data to use it.",
    ),
    "after": (
        "{column} may be known only after {target} is, by its name.",
        "An input must be known when the model is asked. If it is not, take it out.",
    ),
    "personal": (
        "{column} looks like personal data ({what}).",
        "It is left out: a model shall not learn it, nor a page ask for it.",
    ),
    "id": (
        "{column} has another value in {share} rows: it names rows, and tells nothing of new ones.",
        "It is left out.",
    ),
    "gaps": ("{column} is empty in {share} of the rows.", "It is left out."),
    "many_gaps": ("{column} is empty in {share} of the rows.", "It may be left empty. Is it worth asking for?"),
    "constant": ("{column} is {value} in every row.", "It is left out, for it tells nothing."),
    "equal": ("{column} says the same as {other} in every row.", "It is left out; one of them is enough."),
    "correlated": (
        "{column} follows from {other} (correlation {correlation}).",
        "One of them is enough: take out the one that is harder to know.",
    ),
    "codes": (
        "{column} holds numbers that look like codes.",
        "load_data makes text of them, for their size means nothing. If it does, take that line out.",
    ),
    "few_numbers": (
        "{column} holds only {values}.",
        'It is taken for an amount. If these are codes, write: Feature({name}, "choice", choices=[{values}]).',
    ),
    "mixed_numbers": (
        "{column} holds numbers, but for {count} values such as {value}.",
        "load_data makes gaps of these. Is that what they mean?",
    ),
    "mixed_text": ("{column} holds numbers and text.", "load_data makes text of all. Is it one thing?"),
    "sentinel": (
        "{column} is {value} in {count} rows, far from all others.",
        "It is taken for a gap in load_data. If it is a true value, take that line out.",
    ),
    "far": (
        "{column} is {value} in {count} rows, far from all others (the next is {next}).",
        'If it stands for a gap, make it one in load_data: data[{name}] = data[{name}].replace({value}, float("nan")).',
    ),
    "infinite": ("{column} is infinite in {count} rows.", "load_data makes gaps of these."),
    "time_of_day": ("{column} holds times of day.", "load_data makes hours of them."),
    "to_text": ("{column} holds {what}.", "load_data makes text of them."),
    "many_values": (
        "{column} has {count} different values.",
        "The form suggests the most frequent ones and takes any other.",
    ),
    "words": ("{column} is free text.", "Its words are counted. Does it hold anything personal?"),
    "one_hot": (
        "{columns} look like one choice, written as {count} columns of yes and no.",
        'One column is easier to fill in: data["{start}"] = data[[…]].idxmax(axis=1) in load_data.',
    ),
    "duplicates": (
        "Rows that repeat an earlier one: {count}.",
        "If they were copied by mistake, add data = data.drop_duplicates() to load_data.",
    ),
    "source": ("{note}", ""),
}

TEXTS = {
    "target.text": "Each row has its own {target}: a model cannot learn that. Choose another --target.",
    "target.constant": "{target} is {value} in every row: there is nothing to predict. Choose another --target.",
    "target.empty": "{target} is empty in every row. Choose another --target.",
    "target.mixed": "Most values of {target} are numbers, but {value} is none. Correct it and the like, or leave them "
    "empty.",
    "target.id": "{target} has another number in each row, as ids and row numbers have: a model cannot learn that. "
    "Choose another --target.",
    "target.kind": "{target} holds {what}; a model here predicts numbers or classes. Choose another --target.",
    "rows": "Rows with a value of {target}: {rows}. That is too few to learn from; at least {least} are needed.",
    "columns": "There is no column left that a model could predict {target} from. {reasons}",
}

# What is wrong with the file of an estimator.
ESTIMATOR_FILE = {
    "absent": "There is no file {path}.",
    "folder": "{path} is a folder; give the file of a fitted estimator, such as model.joblib.",
    "empty": "{path} is empty: write the estimator again, with joblib.dump.",
    "other": "{path} is a zip file that is neither of skops nor of irislib; write the estimator with joblib.dump.",
    "suffix": "{path} is a file of irislib's: rename it to {name}.",
    "unreadable": "{path} cannot be read: it is damaged, or no file of joblib, pickle, skops or irislib. ({reason})",
    "refused": "{path} holds {names}, which irislib does not load from a skops file: write it with joblib.dump.",
    "version": "{path} was written with scikit-learn {written}, and here is {here}, which may predict otherwise: "
    "install scikit-learn=={written} here, or fit the estimator again.",
    "moved": "{path} was written with another version of {library}: here is no {module}. Install that version, or fit "
    "the estimator again.",
    "module": "{path} needs the module {module}, which is not here. A library has to be installed. A file of your own, "
    "such as {package}.py, belongs beside {path} or into the current folder: it is then put into the project.",
    "main": "{path} needs {name}, which was defined in a notebook or a script: put it into a module, a .py file beside "
    "{path}, import it from there, and write the estimator again.",
    "attribute": "{path} needs {name} of the module {module}, which has no such thing here: it was written with "
    "another version of it.",
    "no_estimator": "{path} holds a {type}, and no estimator of scikit-learn's kind.",
    "part": "The estimator seems to be its part {key!r}: write that alone, with joblib.dump.",
    "interface": "Give the estimator with scikit-learn's interface, such as XGBClassifier instead of its Booster.",
    "unfitted": "{path} holds a {type} that is not fitted: call its fit, then write it.",
    "targets": "{path} holds a {type} that predicts {count} targets; irislib shows models with one target.",
    "own_name": "The project would have the name of {module}, which the estimator needs: choose another name.",
    "own_target": "{path} has rows of its own, and their target is {own}: leave out --target {target}, "
    "or give a table with --data.",
    # beside a table
    "missing": "{source} lacks the columns {columns}, on which the estimator in {path} was fitted.",
    "count": "{source} has {given} columns beside {target}, and the estimator in {path} was fitted on {count}, which "
    "have no names: give a table with these alone, in their order.",
    "no_rows": "{source} has {rows} rows with a {target}: too few to measure anything.",
    "numbers": "{target} in {source} holds {value}, and the {type} in {path} predicts numbers: choose another "
    "--target.",
    "classes": "{target} in {source} has the classes {unknown}, and the estimator in {path} knows {known} alone.",
    "codes": "It was fitted on codes: let the table have these, too.",
    "values": "{source} does not fit the estimator in {path}: {problem}",
    "no_count": "{path} does not say how many columns its estimator takes: give a table as well, --data FILE and "
    "--target COLUMN.",
    "alone": "The file {path} says too little of what its estimator takes: give a table as well, --data FILE --target "
    "COLUMN. ({error})",
    "predict": "The estimator in {path} cannot predict the rows of {source}: {error}",
}

# What was seen in the file of an estimator, as in FINDINGS, the most important first.
FITTED = {
    "estimator": ("{file} holds {what}.", "It is used as it is, and never trained again."),
    "rows": (
        "The file does not say on which rows the estimator was trained.",
        "If they are in {source}, it looks better than it is on new ones: give rows that it has not seen.",
    ),
    "alone": (
        "There are no rows beside the file.",
        "Nothing is known of how well it does, and there are no insights and warnings that need rows: give some with "
        "--data FILE --target COLUMN.",
    ),
    "unnamed_alone": (
        "The estimator was fitted on {count} columns without names.",
        "Give them names and labels, in the order of the training.",
    ),
    "unnamed": (
        "The estimator was fitted on {count} columns without names.",
        "Those of {source} are taken in their order. Check that it is the same.",
    ),
    "extra": ("{columns} of {source}: the estimator was not fitted on these.", "They are left out."),
    "categories": (
        "The estimator knows values of {column} that are not in {source}: {values}.",
        "People can choose them, too.",
    ),
    "categories_alone": ("The file knows {count} values of {column}: {values}.", "These are the choices."),
    "text": ("The file counts the words of {column}.", "It is taken for free text."),
    "mean": (
        "The file has a mean of {typical} for {column}.",
        "Check the kind and the default, and add unit, low and high.",
    ),
    "range": (
        "The file has values of {column} from {low} to {high}.",
        "Check the kind and the default, and add unit, low and high.",
    ),
    "thresholds": (
        "The file compares {column} with thresholds from {low} to {high}.",
        "Check the kind and the default, and add unit, low and high.",
    ),
    "nothing": (
        "The file does not say what values {column} has.",
        "It is taken for a number. Check that, and add default, unit, low and high.",
    ),
    "optional": ("The file fills gaps of {column}.", "It may be left empty."),
    "target_codes": (
        "The estimator predicts {values} for {target}, and so does the endpoint.",
        "If people shall read names, take this line in.",
    ),
}

# Why an estimator was chosen.
REASONS = {
    "words": "A linear model, which suits the many words of free text.",
    "large": "Boosted trees, which suit a table of {rows:,} rows.",
    "wide": "A linear model, which is quick to train with {count:,} columns. Try boosted trees as well.",
    "classes": "A linear model, which is quick to train with {count:,} classes. Try boosted trees as well.",
    "small": "A linear model: {rows} rows are too few for more.",
    "tried": "Chosen by {criterion} in cross-validation on {rows}: {best}; {other}.",
    "loss": "the log loss",
    "mean_error": "the mean error",
    "all": "all rows",
    "some": "{rows:,} of the rows",
    "linear": "a linear model {score}",
    "trees": "boosted trees {score}",
    "right": "with {loss:.3f} ({share} right)",
    "failed": "that cannot be trained",
    "error": "with {error} (R² {r2:.3f})",
}

# What model.py says.
SOURCE = {
    "about": "{title}: predicts {target} from {source}.",
    "drafted": "Drafted by `irislib new` (irislib {version}); it is yours to change. The comments say what\n"
    "was seen in the data and what to check. `make test` says whether all is in order.",
    "database": "a database",
    "rows": "{rows:,} rows.",
    "features": "The inputs, in the order of the form. help(irislib.Feature) lists all options, such as label, help "
    "and high. A commented Feature is left out; to take it back, remove its # here and in the examples.",
    "limit": "Values from {low} to {high}; less than 0 is taken to be impossible (low=0).",
    "examples": "Real rows, which become buttons. Give them better titles.",
    "todo": "TODO: say what the model is for and when not to use it; the page and the model card show it.",
    "purpose": "Predicts {target} from {inputs} inputs.",
    "limits": "It knows what {rows:,} rows of data show, and nothing else.",
    "contact": "Who answers for the model, and how to reach them",
    "file": "{file}: {rows:,} rows, SHA-256 {digest}…",
    "query": "A query of a database: {rows:,} rows",
    "classes": "The names of the codes {codes}; programs and people get the names.",
    # of a fitted estimator
    "about_fitted": "{title}: predicts {target} with the fitted estimator in {file}.",
    "drafted_fitted": "Drafted by `irislib new` (irislib {version}); it is yours to change. The comments say what\n"
    "was seen in the file and the data and what to check. `make test` says whether all is in order.",
    "estimator": "It holds {what}. It was read with {versions}; other versions may predict otherwise, so that setup.py "
    "asks for these. SHA-256: {digest}",
    "pickle": "Reading it runs code that is in it: put no file here that you do not trust.",
    "load_estimator": "The estimator as it was fitted: it is never trained again.",
    "model": "The model, evaluated on the rows of load_data.",
    "model_alone": "The model. Nothing is known of how well it does, for no rows came with the file.",
    "made_up": "Made up: {answer}",
    "examples_alone": "Made-up rows, which become buttons. Put real ones in their place.",
    "source_alone": "Who collected the data it was trained on, and where",
    "sample": "Enough to measure on; all of the rows would take longer whenever a server starts.",
    "limits_fitted": "It was fitted elsewhere; on which rows is not known here.",
}

# How well a model does, beside its baseline.
MEASURES = {
    "share": "{share} right",
    "r2": "R² {r2:.3f}",
    "accuracy": "{accuracy} right; the commonest class alone would be right in {baseline}",
    "accuracy_loss": "{accuracy} right (log loss {loss:.3f}); the commonest class alone would be right in {baseline}",
    "error": "a mean error of {error} (R² {r2:.3f}), where the median alone would have {baseline}",
}

EXAMPLE = "Example {number}"  # the title of one about which the model is wrong

# What the command says.
COMMAND = {
    "about": "Make a project of your own from a table or a fitted estimator: a folder with a model that is drafted\n"
    "from it, an app, tests and a Dockerfile. Nothing that is there already is overwritten.",
    "examples": "examples:\n"
    "  irislib new churn --data churn.csv --target churned\n"
    "  irislib new rent --data flats.xlsx --sheet 2024 --target rent\n"
    "  irislib new sales --data sqlite:///shop.db --sql 'SELECT * FROM sales' --target amount\n"
    "  irislib new churn --estimator model.joblib --data churn.csv --target churned\n"
    "  irislib new churn --estimator model.joblib --target churned    if its data are gone\n"
    "  irislib new churn --data churn.csv                  shows the columns, and asks which to predict",
    "name": "of the project: of its folder, its package and its address, such as churn or flat-rent",
    "data": "the table: CSV, Parquet or Excel; with --sql the SQLAlchemy URL of a database",
    "estimator": "the file of a fitted estimator, which is served as it is: joblib, pickle, skops or .irislib; reading "
    "joblib and pickle runs code that is in the file, so give only a file that you trust",
    "target": "the column to predict; without it, the columns are shown [asks]; of an estimator alone, the name of "
    "what it predicts",
    "sql": "a query whose result is the table",
    "sheet": "of an Excel file [the one that holds a table]",
    "encoding": "of a CSV file, such as cp1250 [found by its bytes, or asked for]",
    "output": "the folder in which the project's folder is made [the current one]",
    "dry": "print what would be made, and make nothing",
    "no_data": "Say what it is about: --data FILE, --estimator FILE or both.",
    "unmeasured": "There were no rows to measure it on.",
    "suggestion": "{problem} Try: {name}",
    "taken": "{folder} is there already, and nothing was changed: choose another name, or move it away.",
    "reserved": "{name!r} is an address of the server itself: choose another name, such as {name}-model.",
    "unknown": "{source} has no column {target!r}. {hint}",
    "columns": "{source} has {rows:,} rows and {count:,} columns:",
    "head": "column,kind,different,empty,examples",
    "ask": "Which column shall be predicted? ",
    "no_terminal": "Say which column shall be predicted: {command} --target COLUMN",
    "none": "No column was chosen, and nothing was made.",
    "made": "Made {folder} with {count} files.",
    "would": "Would make {folder} with these files:",
    "model": "And this is {path}:",
    "seen": "What was seen in {source}, the most important first:",
    "more": " (and {count} more like it)",
    "rest": "Further {count}: see the comments in {path}, which also say what to do.",
    "actions": "The comments in {path} say what was done about it, and what to check.",
    "score": "On {rows:,} rows held out for this: {measured}.",
    "score_given": "On the {rows:,} rows of {source}: {measured}.",
    "no_better": "That is no better than chance: look at the inputs, and at whether they can tell {target} at all.",
    "failed": "It cannot be trained yet: {error}",
    "next": "Next:\n  cd {folder}\n  make serve    sets everything up and serves http://localhost:5000/{name}",
}
