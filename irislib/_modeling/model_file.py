"""One file for one model: description, estimator, evaluation and what was learnt of the data; no pickle.

A ``.irislib`` file is a zip with ``model.json`` and ``estimator.skops``.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from dataclasses import asdict, fields
from io import BytesIO
from pathlib import Path
from typing import Any

from irislib import __version__
from irislib._common.paths import write_atomically
from irislib._description.code_digest import is_installed
from irislib._description.feature import Feature
from irislib._description.fingerprint import estimator_parts, library_versions, package_of
from irislib._description.spec import ModelSpec
from irislib._description.theme import Theme
from irislib._description.values import to_json
from irislib._modeling import estimator_file
from irislib._modeling.fitted import FittedSpec, ignore_missing_names
from irislib._modeling.model import Model
from irislib._modeling.model_record import from_record, to_record
from irislib._modeling.trusted_types import is_of_library
from irislib.errors import StoreError

__all__ = ["SUFFIX", "read_model", "write_model"]

SUFFIX = ".irislib"
FORMAT = 2
READ = {1, FORMAT}  # in format 1 the estimator is never packed
MODEL, ESTIMATOR = "model.json", "estimator.skops"
MAX_BYTES = {MODEL: 200_000_000, ESTIMATOR: 4_000_000_000}  # of the two parts, unpacked
# By themselves, or not
NOT_KEPT = ("features", "load_data", "estimator", "tabs", "examples", "classes", "identity", "theme",
            "feedback")  # fmt: skip


def write_model(model: Model, path: Path) -> Path:
    """Write a model to a file; see :meth:`Model.save`."""
    if path.suffix != SUFFIX:
        raise StoreError(f"{path}: the name of a model's file ends in {SUFFIX}.")
    modules = estimator_modules(model.spec)
    try:
        record = json.dumps(_record(model, modules))
        estimator = estimator_file.read_back(model.estimator, model.evaluation.features, modules)
        for module in modules:
            _require_own(path, module)  # else the file could not be read again
        content = BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(MODEL, record)
            file.writestr(ESTIMATOR, estimator)
        write_atomically(path, content.getvalue())
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{model.spec.name} cannot be written to {path}: {error}") from error
    return path


def read_model(path: Path) -> Model:
    """Read a model from a file.

    Raises
    ------
    StoreError
        If there is no such file, it is no model's file, it holds what cannot be trusted, or the estimator predicts
        otherwise with the versions of the libraries that are installed here.
    """
    try:
        with zipfile.ZipFile(path) as file:
            record = json.loads(_part(file, MODEL))
            content = _part(file, ESTIMATOR)
    except FileNotFoundError:
        raise StoreError(f"There is no file {path}.") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise StoreError(f"{path} is no model's file: {error}") from error
    if not isinstance(record, dict):
        raise StoreError(f"{path} is no model's file: its description is a {type(record).__name__}.")
    if record.get("format") not in READ:
        raise StoreError(f"{path} was written by irislib {record.get('irislib')}, in another format.")
    try:
        for module in record["modules"]:
            _require_own(path, module)
        estimator = estimator_file.load_estimator(content, record["modules"])
        spec = _restore_spec(record, estimator)
        model = from_record(spec, estimator, record["model"])
    except StoreError:
        raise
    except Exception as error:  # what is damaged or forged fails in its own way
        raise StoreError(f"{path} is no model's file: {type(error).__name__}: {error}") from error
    ignore_missing_names(estimator)
    if record["versions"] != library_versions(estimator):
        _require_same_predictions(path, model, record["versions"])
    return model


def estimator_modules(spec: ModelSpec) -> list[str]:
    """Return the top-level modules of the author's own that the parts of the estimator come from."""
    names = set(map(package_of, estimator_parts(spec.estimator)))
    return sorted(name for name in names if not is_of_library(name))


def _require_own(path: Path, module: str) -> None:
    """Raise StoreError unless a module is the user's own: a file must not choose among all that is installed."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise StoreError(f"{path} has parts of the module {module!r}, which is not here: start in the folder of it.")
    if not Path(spec.origin).is_file() or is_installed(spec.origin):
        raise StoreError(f"{path} has parts of {module!r}, which is an installed library that irislib does not trust.")


def _part(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > MAX_BYTES[name]:
        raise ValueError(f"{name} has more than {MAX_BYTES[name]:,} bytes.")
    with file.open(name) as part:
        content = part.read(MAX_BYTES[name] + 1)
    if len(content) > MAX_BYTES[name]:
        raise ValueError(f"{name} has more than {MAX_BYTES[name]:,} bytes.")
    return content


def _record(model: Model, modules: list[str]) -> dict[str, Any]:
    spec = model.spec
    return {
        "format": FORMAT,
        "irislib": __version__,
        "versions": library_versions(model.estimator),
        "modules": modules,
        "spec": {field.name: getattr(spec, field.name) for field in fields(ModelSpec) if field.name not in NOT_KEPT},
        "features": [_feature_to_json(feature) for feature in spec.features],
        "examples": {name: {key: to_json(v) for key, v in row.items()} for name, row in spec.examples.items()},
        "classes": [[code, name] for code, name in spec.classes.items()],
        "tabs": [[title, [_insight_name(function) for function in tab]] for title, tab in spec.tabs.items()],
        "theme": spec.theme.to_record(),
        "identity": spec.identity if isinstance(spec, FittedSpec) else spec.digest,
        "model": to_record(model),
    }


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(feature).items() if value is not None}
    for name in ("low", "high", "default"):
        if name in facts:
            facts[name] = to_json(facts[name])
    return {**facts, "choices": [to_json(choice) for choice in feature.choices]}


def _insight_name(function: Any) -> str:
    from irislib import insights

    name = str(getattr(function, "name", None) or getattr(function, "__name__", ""))
    if getattr(insights, name, None) is not function:
        raise StoreError(
            f"tabs: {name or function!r} is a function of your own, which cannot be kept in a file. Leave tabs out, "
            "or serve the model by its module: --model package.module:name."
        )
    return name


def _restore_spec(record: dict[str, Any], estimator: Any) -> FittedSpec:
    from irislib import insights

    names = [name for _, tab in record["tabs"] for name in tab]
    if unknown := sorted(set(names) - set(insights.__all__)):
        raise ValueError(f"there are no insights {', '.join(unknown)}.")
    return FittedSpec(
        **record["spec"],
        features=[Feature(**facts) for facts in record["features"]],
        estimator=estimator,
        examples=record["examples"],
        classes=dict(record.get("classes", ())),
        tabs={title: [getattr(insights, name) for name in tab] for title, tab in record["tabs"]},
        theme=Theme(**record.get("theme", {})),
        identity=record["identity"],
    )


def _require_same_predictions(path: Path, model: Model, versions: dict[str, str]) -> None:
    import numpy as np

    held_out = model.evaluation
    predicted = model.predict_frame(held_out.features)
    same = np.array_equal(predicted, held_out.y_pred) or (
        model.classes is None and np.allclose(predicted.astype(float), held_out.y_pred.astype(float), rtol=1e-9)
    )
    if not same:
        saved = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise StoreError(f"{path} predicts otherwise here than with {saved}, with which it was saved. Install these.")
