"""Texts about errors in the user's own code and estimator: what to do about those that are known."""

__all__ = ["TEXTS"]

TEXTS = {
    "text": "The column {column!r} holds text, such as {value!r}, where the estimator expects numbers. {advice}",
    "text.choices": "Encode it in a pipeline: "
    "make_column_transformer((OneHotEncoder(handle_unknown='ignore'), {columns}), remainder='passthrough') before the "
    "estimator. TargetEncoder() suits a column of many values.",
    "text.words": "Turn its words into numbers in a pipeline: "
    "make_column_transformer((TfidfVectorizer(), {column!r}), remainder='passthrough') before the estimator.",
    "text.category": "Give its feature dtype='category', and {estimator} takes it as it is.",
    "text.XGB": "Give its feature dtype='category', and the estimator enable_categorical=True.",
    "text.CatBoost": "Name it to the estimator: {estimator}(cat_features={columns}).",
    "text.fitted": "The column {column!r} holds text, such as {value!r}, and the estimator was fitted on numbers. Fit "
    "a pipeline whose first step encodes the column, and make the model of that; then people can choose {value!r}.",
    "text.target": "The target {column!r} holds text, such as {value!r}, and {estimator} predicts numbers: use a "
    "classifier, or turn it into numbers in load_data.",
    "missing": "{columns} missing values, and the estimator takes none. Fill them in a pipeline, such as "
    "make_pipeline(SimpleImputer(), …), or use an estimator that takes them, such as HistGradientBoosting….",
    "missing.column": "The column {columns} has",
    "missing.columns": "The columns {columns} have",
    "missing.none": "A step of the pipeline makes",
    "vectorizer": "{vectorizer} takes one column of text, and gets a whole table. Name the column as text, not as a "
    "list: ColumnTransformer([('words', {vectorizer}(), {column!r})]).",
    "classes": "XGBoost takes the classes 0, 1, 2, … alone. Name them in the description, and irislib encodes "
    "the target: classes={{{classes}}}.",
    "categories": "A value did not occur in the training part of the data: give the encoder handle_unknown='ignore' "
    "(OrdinalEncoder: handle_unknown='use_encoded_value', unknown_value=-1).",
    "file": "A relative path is looked up in the folder where irislib was started, {folder}. In a module, write "
    "Path(__file__).parent / {file!r}.",
    "fitted.columns.missing": "The features lack the columns {columns}, on which the estimator was fitted. A feature "
    "of another name has the column as Feature(…, column=…).",
    "fitted.columns.further": "The features have the columns {columns}, on which the estimator was not fitted.",
    "fitted.columns.order": "The features are in another order than the columns on which the estimator was fitted. "
    "Give them in that of its feature_names_in_: {columns}.",
    "fitted.pair": "Give {missing} as well as {present}.",
    "fitted.no_rows": "Give X_test and y_test, to evaluate the estimator; without any rows give features=, which say "
    "what it takes.",
    # the training data
    "data.type": "The training data of {name!r} must be a DataFrame, got {type}: load_data has to return one.",
    "data.missing": "The training data of {name!r} have missing values in {columns}. If people may leave the feature "
    "empty, give it required=False, and let the estimator begin with an imputer, such as SimpleImputer(); else drop "
    "these rows in load_data.",
    "data.missing.column": "{column} ({count} of {rows} rows)",
    # what is passed to irislib's functions
    "model.spec": "A ModelSpec describes a model; load it first: irislib.load(spec).",
    "model.estimator": "{type} is an estimator; make a model of it first: "
    "irislib.Model.from_estimator(estimator, X_test, y_test, name='…').",
    "model.name": "Load the model first: irislib.load({value!r}).",
    "model.other": "Give a Model, as irislib.load returns it, got {type}.",
    "spec.model": "This is a trained model already; there is nothing to load or to train.",
    "spec.estimator": "{type} is an estimator. If it is fitted, make a model of it: "
    "irislib.Model.from_estimator(estimator, X_test, y_test, name='…'); to train it, describe it in a ModelSpec.",
    "spec.name": "Give a ModelSpec, got the text {value!r}; irislib.load takes names and files.",
    "spec.other": "Give a ModelSpec, got {type}.",
    "estimator.spec": "A ModelSpec describes a model that irislib trains: irislib.load(spec). Give a fitted estimator.",
    "estimator.model": "This is a model already; there is nothing to make of it.",
}
