"""The text of model.py for a fitted estimator, formatted as formatters leave it."""

from __future__ import annotations

from irislib import __version__
from irislib._common.formatting import join_words
from irislib._common.messages.new import SOURCE
from irislib._description.fingerprint import library_versions
from irislib._project.estimator_source import EstimatorSource, describe_estimator
from irislib._project.model_source import (
    Sketch,
    about_model,
    about_target,
    features_block,
    load_data_block,
    title_of,
)
from irislib._project.python_text import comment, docstring, flat, import_order, is_standard, laid_out, literal, quoted
from irislib._project.table_source import TableSource

__all__ = ["fitted_source", "rows_of_file"]

ABOUT_ROWS = ("rows", "alone", "unnamed", "unnamed_alone", "extra")  # kinds of findings


def fitted_source(sketch: Sketch, estimator: EstimatorSource, most: int | None) -> str:
    """Return the text of model.py.

    Parameters
    ----------
    sketch : Sketch
    estimator : EstimatorSource
    most : int or None
        How many rows are enough to evaluate on, if there are more.
    """
    has_rows = bool(sketch.table.expression)
    blocks = [
        _head(sketch, estimator),
        *([load_data_block(sketch)] if has_rows else []),
        _load_estimator(estimator),
        features_block(sketch),
        _model(sketch, most) if has_rows else _model_alone(sketch),
    ]
    return "\n".join(blocks).rstrip("\n") + "\n"


def _head(sketch: Sketch, estimator: EstimatorSource) -> str:
    table = sketch.table
    about = SOURCE["about_fitted"].format(
        title=title_of(sketch.name), target=sketch.target.column, file=estimator.path.name
    )
    standard = [line for line in table.imports if is_standard(line)]
    imports = [line for line in (*table.imports, *estimator.imports) if line not in standard]
    imports += ["import pandas as pd"] if table.expression else []
    imports += ["from irislib import Feature, Model"]
    drafted = SOURCE["drafted_fitted"].format(version=__version__).splitlines()
    lines = [f'"""{docstring(about)}', "", *drafted, '"""', ""]
    lines += sorted({*standard, "from pathlib import Path"}, key=import_order)
    lines += ["", *sorted(set(imports), key=import_order), ""]
    if "DATA" in table.expression and table.path is not None:
        lines += [f'DATA = Path(__file__).parent / "data" / {quoted(table.path.name)}']
    versions = join_words([f"{name} {version}" for name, version in library_versions(estimator.estimator).items()])
    what = describe_estimator(estimator.estimator)
    lines += comment(SOURCE["estimator"].format(what=what, versions=versions, digest=estimator.digest))
    lines += comment(SOURCE["pickle"]) if "joblib" in flat(estimator.node) else []
    return "\n".join([*lines, f'ESTIMATOR = Path(__file__).parent / "data" / {quoted(estimator.path.name)}']) + "\n"


def _load_estimator(estimator: EstimatorSource) -> str:
    suffix = ".estimator" if estimator.saved is not None else ""
    lines = ["", "def load_estimator():", f'    """{SOURCE["load_estimator"]}"""']
    return "\n".join([*lines, laid_out(estimator.node, "return ", 4, suffix)]) + "\n"


def _model(sketch: Sketch, most: int | None) -> str:
    lines = ["", "def model() -> Model:", f'    """{SOURCE["model"]}"""', "    data = load_data()"]
    if most is not None:
        lines += [*comment(SOURCE["sample"], 4), f"    data = data.sample({most}, random_state=0)"]
    lines += [part for f in sketch.findings if f.kind in ABOUT_ROWS for part in comment(f.text, 4)]
    lines += ["    return Model.from_estimator(", "        load_estimator(),"]
    lines += ["        data[[feature.column for feature in FEATURES]],"]
    lines += [f"        data[{flat(literal(sketch.target.column))}],"]
    lines += [*about_target(sketch, 8), *about_model(sketch, 8, SOURCE["limits_fitted"]), "    )"]
    return "\n".join(lines) + "\n"


def _model_alone(sketch: Sketch) -> str:
    lines = ["", "def model() -> Model:", f'    """{SOURCE["model_alone"]}"""']
    lines += [part for f in sketch.findings if f.kind in ABOUT_ROWS for part in comment(f.text, 4)]
    lines += ["    return Model.from_estimator(", "        load_estimator(),", *about_target(sketch, 8)]
    lines += [*about_model(sketch, 8, SOURCE["limits_fitted"]), "    )"]
    return "\n".join(lines) + "\n"


def rows_of_file(estimator: EstimatorSource) -> tuple[TableSource, str] | None:
    """Return the rows that a file of irislib's own was evaluated on, and the name of their target; None without any."""
    model = estimator.saved
    if model is None or not model.is_evaluated or model.spec.classes:
        return None
    target = str(model.spec.target)
    frame = model.evaluation.features.assign(**{target: model.evaluation.y_true})
    lines = ["irislib.load(ESTIMATOR).evaluation.features.copy()"]
    lines += [f"data[{flat(literal(target))}] = irislib.load(ESTIMATOR).evaluation.y_true"]
    return TableSource(frame, "\n".join(lines), path=estimator.path), target
