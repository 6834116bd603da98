"""The texts about the endpoint: its page ``/docs`` and its OpenAPI document.

Between backticks is code.
"""

__all__ = ["TEXTS"]

TEXTS = {
    # the page
    "docs.about": "About this model",
    "docs.addresses": "Other addresses",
    "docs.addresses.address": "Address",
    "docs.addresses.content": "Content",
    "docs.addresses.token": "Token",
    "docs.all_models": "All models",
    "docs.answer": "The answer",
    "docs.answer.details": "The answer with ?details=1 after the address",
    "docs.card": "Model card",
    "docs.card.about": "{card}: purpose, data, evaluation, limits",
    "docs.data": "Data",
    "docs.errors": "Errors",
    "docs.errors.status": "Status",
    "docs.errors.when": "When",
    "docs.example": "{title}:",
    "docs.fields": "What to send",
    "docs.fields.of": "What to send to {title}",
    "docs.fields.expected": "Allowed values",
    "docs.fields.meaning": "Meaning",
    "docs.fields.name": "Name",
    "docs.fields.required": "Required",
    "docs.fields.unit": "Unit",
    "docs.for_people": "For people",
    "docs.for_programs": "For programs",
    "docs.insights": "Ask why, and how well it does",
    "docs.insights.about": "The insights of the app, each as a sentence and its numbers: about the model by `GET`, "
    "about a row by `POST`.",
    "docs.insights.curl": "Why this answer, with curl",
    "docs.insights.description": "Content",
    "docs.insights.methods": "{get} or {post}",
    "docs.insights.name": "Insight",
    "docs.insights.of": "Insights of {title}",
    "docs.insights.options": "Options",
    "docs.insights.short": "Why, and how well",
    "docs.language": "Language",
    "docs.language.in": "In {language}",
    "docs.many": "Ask for many rows at once",
    "docs.many.curl": "CSV with curl",
    "docs.many.short": "Many rows",
    "docs.models": "Models",
    "docs.no": "no",
    "docs.one": "Ask for one row",
    "docs.one.forms": "As JSON, or as a form.",
    "docs.one.short": "One row",
    "docs.openapi": "OpenAPI document",
    "docs.or": " or ",
    "docs.panel": "On this page",
    "docs.predicts": "Predicts {target}",
    "docs.predicts.unit": "Predicts {target}, in {unit}",
    "docs.schema": "JSON Schema of a row",
    "docs.title": "Models for programs",
    "docs.title.model": "{title} for programs",
    "docs.token": "This server asks for a token. Put yours in the place of `{token}`.",
    "docs.version": "Version",
    "docs.version.fitted": "{version}, fitted elsewhere; here since {day}",
    "docs.version.trained": "{version}, trained {day}",
    "docs.wrong": "When something is wrong with a row",
    "docs.wrong.example": "With a slip in a name, for example:",
    "docs.wrong.short": "Wrong rows",
    "docs.yes": "yes",
    # the OpenAPI document as a whole
    "introduction": "One address for each model: send a row, get its answer.\n\n"
    "Every answer has a header `X-Request-ID`, and those of a model `X-Model-Version`. Every error is a problem in the "
    "shape of RFC 9457. Wherever `GET` works, `HEAD` does.",
    "server": "Everything that is not about one model.",
    "model": "{title} predicts {target}.",
    "model.unit": "{title} predicts {target} in {unit}.",
    "model.source": "Source of the data: {source}.",
    # requests
    "row": "A row for {title}",
    "row.types": 'Each value has a type of its own. Text that reads as the value is taken, too, as from a form: "5.1" '
    'for 5.1, "yes" for true. An empty text is a missing value.',
    "row.defaults": "A default is the first value in a form; nothing is filled in for a value that is left out.",
    "row.unit": "In {unit}.",
    "multipart.title": "A form in parts for {title}",
    "form.title": "A form for {title}",
    "form": "Values as a form sends them. A value that is not required can be left out or empty.",
    "columns": "An array for each feature; all of the same length.",
    "anything": "Any other value has errors in its answer.",
    "predict": "Predict {target} for one row",
    "predict.body": "The values by the names of the features. At most {limit:,} bytes.",
    "predict.details": "1 for an answer with its probabilities and warnings, 0 for the prediction alone.",
    "predict.response": "The prediction; with `details=1` an object.",
    "batch": "Predict {target} for many rows",
    "batch.body": "Three forms, each answered in its own: an array of rows; an object with an array for each feature; "
    "CSV whose first line names the columns. {tables}At least one row, and at most {csv_limit:,} bytes of CSV or "
    "{json_limit:,} bytes of anything else. At most {rows:,} rows.\n\n"
    "A wrong row does not stop the others: its answer has errors and no prediction. In CSV the errors are in the "
    "column `problems`. After {problem_rows:,} wrong rows the answer has only the number of the problems of each.\n\n"
    "Columns of a CSV file that are no features are kept.",
    "batch.tables": "Files that are answered as CSV: {kinds}. ",
    "batch.response": "The answers, in the form and order of the request. In CSV they are more columns: {columns}",
    # examples
    "example": "An example",
    "example.details": "{title}, with details=1",
    "example.wrong": "A name that is not quite right",
    "example.records": "Rows, of which one is wrong",
    "example.columns": "An array for each feature",
    "example.csv": "CSV",
    # parts of answers
    "probabilities": "The probability of each class, from 0 to 1",
    "warning": "A reason to doubt an answer",
    "error": "A problem with a value",
    "error.feature": "Its name; null if the problem is about the row or the whole body.",
    "error.pointer": "The position of the value in the body (RFC 6901).",
    "error.value": "The value that was received.",
    "problem": "Problem (RFC 9457)",
    "problem.title": "The name of the status.",
    "problem.detail": "The problem in a sentence for people.",
    "problem.reference": "For the operator of the server, whose log has more under it.",
    "problem.values": "Problem with values",
    # statuses
    "status.400": "The body is not JSON, or no JSON object (for a batch: neither an array nor an object), or "
    "the request is not valid HTTP.",
    "status.408": "The body did not come in time.",
    "status.414": "The first line of the request is too long.",
    "status.431": "The headers of the request are too large.",
    "status.501": "The Transfer-Encoding of the body is not supported.",
    "page.500": "The page failed; the server's log has more.",
    "page.503": "All places for pages are taken at the moment.",
    "status.401": "The token is missing or wrong.",
    "status.404": "There is no model of this name, or no such insight of it; `detail` says why.",
    "status.405": "This address does not take this method.",
    "status.413": "The body is larger than this address takes, or has more rows.",
    "status.415": "The body has a type that this address does not take, or its Content-Encoding is neither gzip nor "
    "deflate.",
    "status.422": "The values cannot be used; `errors` names each that is wrong.",
    "status.429": "More requests than this server allows, where its operator has set a limit.",
    "status.500": "Something went wrong on the server; its log has more under the `reference`.",
    "readyz.pages": "The state of each page. One that is `starting` makes a visitor wait; one that is `unreadable` "
    "has a notebook that cannot be opened.",
    "readyz.503": "The server is starting, or cannot answer at the moment.",
    "full_disk": "The server's temporary folder is full: there is no room for this body. Try again later, or send it "
    "in smaller parts.",
    "batch.type": "Send JSON (application/json), CSV (text/csv), an Excel file (.xlsx) or a Parquet file "
    "(application/vnd.apache.parquet), not {sent}.",
    "batch.no_reader": "{kind} files are not taken here: this server lacks their reader, irislib[tables]. Send CSV "
    "(text/csv).",
    "batch.other_type": "The body is no {kind} file, as its Content-Type says.",
    "sheet": "The sheet whose rows were predicted, if the file has sheets; in percent-encoding.",
    "status.507": "The server's temporary folder has no room for the body.",
    "status.503": "The server cannot answer at the moment.",
    # headers and the token
    "request_id": "The id of this request.",
    "request_id.sent": "An id for this request, repeated in the answer and in the server's log. Up to 100 letters, "
    "digits and `._:-`; the server makes one of its own if there is none or it is something else.",
    "version": "The version of the model that answered; only at the addresses of a model.",
    "allow": "The methods that this address takes.",
    "retry_after": "Seconds to wait.",
    "authenticate": "How to send the token.",
    "token": "The token that the operator of the server has set.",
    # insights
    "insight": "An insight",
    "insight.response": "The insight.",
    "insight.text": "The meaning of the numbers, in a sentence.",
    "insight.rows": "The numbers; null where there is none.",
    "insight.tab": "The tab of the app that shows it.",
    "insight.method": "POST if it is about a row.",
    "insight.calibration": "The probabilities of predictions beside how often these are right.",
    "insight.class_metrics": "Precision and recall of each class on the held-out set, with 95 % intervals.",
    "insight.class_probabilities": "The probability of each class for one row, the likeliest first.",
    "insight.comparison": "Two rows and their answers side by side.",
    "insight.confusion_matrix": "Numbers of true and predicted classes on the held-out set.",
    "insight.contributions": "How much each value of a row adds to the prediction, or takes from it.",
    "insight.cross_validation": "Scores of the model when it is trained on other parts of the data: the spread over "
    "20 trainings.",
    "insight.decision_threshold": "Errors and costs for each probability from which on a class may be answered.",
    "insight.gains": "How much of a class is among the rows with its highest probabilities.",
    "insight.feature_importances": "Impurity-based importances of a forest, with their standard deviation over its "
    "trees.",
    "insight.learning_curve": "Scores of the model when it is trained on fewer rows, to see if more would help.",
    "insight.partial_dependence": "Mean predictions while one feature goes through its values, with all others as they "
    "are.",
    "insight.permutation_importance": "How much worse the held-out score gets when one feature's values are shuffled.",
    "insight.precision_recall_curve": "Precision and recall of each class against the rest, over all thresholds, on "
    "the held-out set.",
    "insight.predicted_against_true": "Predicted beside true values of the held-out set, with R², MAE and RMSE.",
    "insight.prediction_set": "The classes, or the range of numbers, that hold the truth of one row in 90 % of such "
    "cases.",
    "insight.residuals": "The true values of the held-out set minus the predictions.",
    "insight.roc_curve": "True and false positive rates of each class against the rest, on the held-out set.",
    "insight.smallest_changes": "The smallest changes to a row that change the predicted class.",
}
