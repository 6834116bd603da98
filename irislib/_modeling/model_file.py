"""One file for one model: description, estimator, evaluation and what was learnt of the data; no pickle.

A ``.irislib`` file is a zip with ``model.json`` and ``estimator.skops``.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

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
from irislib._modeling.staleness import dependencies
from irislib._modeling.trusted_types import is_of_library
from irislib.errors import StoreError

__all__ = [
    "SUFFIX",
    "join_parts",
    "read_model",
    "read_parts",
    "read_record",
    "require_readable",
    "restore",
    "stored_record",
    "write_model",
]

SUFFIX = ".irislib"
FORMAT = 2
READ = {1, FORMAT}  # in format 1 the estimator is never packed
MODEL, ESTIMATOR = "model.json", "estimator.skops"
MAX_BYTES = {MODEL: 200_000_000, ESTIMATOR: 4_000_000_000}  # of the two parts, unpacked
ADVICE = (
    "which cannot be kept in a file. Leave tabs out, or serve the model by its module: --model package.module:name."
)
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
        estimator = estimator_file.read_back(model.estimator, model.evaluation.trial_rows, modules)
        for module in modules:
            _require_own(path, module)  # else the file could not be read again
        require_readable(model, record)
        write_atomically(path, join_parts(record, estimator))
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StoreError(f"{model.spec.name} cannot be written to {path}: {reason}") from error
    return path


def stored_record(model: Model, with_data_files: bool = True) -> str:
    """Return the record of a model's file in a store: whole for who has its description, else what can be kept.

    Functions of the author's own in tabs are left out for those who have no description, and a description that
    JSON cannot hold.
    """
    modules = estimator_modules(model.spec)
    record = _record(model, modules, own_tabs=True)
    record["model"]["data_files"] = model.data_files if with_data_files else []
    try:
        return json.dumps(record)
    except (TypeError, ValueError):
        return json.dumps({**record, **dict.fromkeys(("spec", "features", "examples", "classes", "theme"))})


def require_readable(model: Model, text: str, is_alone: bool = True) -> None:
    """Raise StoreError unless a model can be made of its record again.

    Parameters
    ----------
    model : Model
    text : str
        The record.
    is_alone : bool
        Whether the file is read by the description in it, if there is one, and not by the author's.
    """
    record = json.loads(text)
    try:
        spec = _restore_spec(record, model.estimator) if is_alone and record["spec"] else model.spec
        from_record(spec, model.estimator, record["model"])
    except Exception as error:  # each part fails in its own way
        reason = f"{type(error).__name__}: {error}"
        raise StoreError(
            f"{model.spec.name} cannot be kept: once read back, its description fails: {reason}"
        ) from error


def join_parts(record: str, estimator: bytes, is_compressed: bool = True) -> bytes:
    """Return a model's file; the same for the same parts."""
    content = BytesIO()
    method = zipfile.ZIP_DEFLATED if is_compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(content, "w", method) as file:
        for name, part in ((MODEL, record), (ESTIMATOR, estimator)):
            info = zipfile.ZipInfo(name)  # of no time
            info.compress_type, info.external_attr = method, 0o600 << 16
            file.writestr(info, part)
    return content.getvalue()


def read_parts(
    source: Path | BinaryIO, name: object, limits: Mapping[str, int] = MAX_BYTES
) -> tuple[dict[str, Any], bytes]:
    """Return the record and the estimator's bytes of a model's file, which errors call by this name.

    Raises
    ------
    StoreError
        If it is no model's file, or one of another format.
    FileNotFoundError
    """
    try:
        with zipfile.ZipFile(source) as file:
            record = json.loads(_part(file, MODEL, limits))
            content = _part(file, ESTIMATOR, limits)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise StoreError(f"{name} is no model's file: {error}") from error
    if not isinstance(record, dict):
        raise StoreError(f"{name} is no model's file: its description is a {type(record).__name__}.")
    if record.get("format") not in READ:
        raise StoreError(f"{name} was written by irislib {record.get('irislib')}, in another format.")
    return record, content


def read_record(content: bytes) -> dict[str, Any]:
    """Return the record of a model's file that was read already."""
    with zipfile.ZipFile(BytesIO(content)) as file:
        record: dict[str, Any] = json.loads(file.read(MODEL))
    return record


def read_model(path: Path) -> Model:
    """Read a model from a file.

    Raises
    ------
    StoreError
        If there is no such file, it is no model's file, it holds what cannot be trusted, or the estimator predicts
        otherwise with the versions of the libraries that are installed here.
    """
    try:
        record, content = read_parts(path, path)
    except FileNotFoundError:
        raise StoreError(f"There is no file {path}.") from None
    return restore(record, content, path)


def restore(record: dict[str, Any], content: bytes, source: object) -> Model:
    """Return the model of a file's parts, with the description that is in it; see :func:`read_model`."""
    try:
        for module in record["modules"]:
            _require_own(source, module)
        if record["spec"] is None:
            raise StoreError(f"{source} can be read by its description alone: --model package.module:name.")
        estimator = estimator_file.load_estimator(content, record["modules"])
        spec = _restore_spec(record, estimator)
        model = from_record(spec, estimator, record["model"])
    except StoreError:
        raise
    except Exception as error:  # what is damaged or forged fails in its own way
        raise StoreError(f"{source} is no model's file: {type(error).__name__}: {error}") from error
    ignore_missing_names(estimator)
    if record["versions"] != library_versions(estimator):
        _require_same_predictions(source, model, record["versions"])
    return model


def estimator_modules(spec: ModelSpec) -> list[str]:
    """Return the top-level modules of the author's own that the parts of the estimator come from."""
    names = set(map(package_of, estimator_parts(spec.estimator)))
    return sorted(name for name in names if not is_of_library(name))


def _require_own(path: object, module: str) -> None:
    """Raise StoreError unless a module is the user's own: a file must not choose among all that is installed."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise StoreError(f"{path} has parts of the module {module!r}, which is not here: start in the folder of it.")
    if not Path(spec.origin).is_file() or is_installed(spec.origin):
        raise StoreError(f"{path} has parts of {module!r}, which is an installed library that irislib does not trust.")


def _part(file: zipfile.ZipFile, name: str, limits: Mapping[str, int]) -> bytes:
    limit = limits.get(name)
    if limit is None:
        return file.read(name)
    if file.getinfo(name).file_size > limit:
        raise ValueError(f"{name} has more than {limit:,} bytes.")
    with file.open(name) as part:
        content = part.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name} has more than {limit:,} bytes.")
    return content


def _record(model: Model, modules: list[str], own_tabs: bool = False) -> dict[str, Any]:
    """Return the record of a model's file; functions of the author's own in tabs are left out or an error."""
    spec = model.spec
    record: dict[str, Any] = {
        "format": FORMAT,
        "irislib": __version__,
        "versions": library_versions(model.estimator),
        "modules": modules,
        "spec": {field.name: getattr(spec, field.name) for field in fields(ModelSpec) if field.name not in NOT_KEPT},
        "features": [_feature_to_json(feature) for feature in spec.features],
        "examples": {name: {key: to_json(v) for key, v in row.items()} for name, row in spec.examples.items()},
        "classes": [[code, name] for code, name in spec.classes.items()],
        "tabs": [],
        "left_out": [],
        "theme": spec.theme.to_record(),
        "identity": spec.identity if isinstance(spec, FittedSpec) else spec.digest,
        "made": dependencies(spec),
        "model": to_record(model),
    }
    for title, tab in spec.tabs.items():
        names = [_insight_name(function) for function in tab]
        if None in names and not own_tabs:
            own = next(function for function, name in zip(tab, names, strict=True) if name is None)
            raise StoreError(f"tabs: {_own_name(own) or repr(own)} is a function of your own, {ADVICE}")
        record["left_out"] += [_own_name(f) for f, name in zip(tab, names, strict=True) if name is None]
        if insights := [name for name in names if name is not None]:
            record["tabs"].append([title, insights])
    return record


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(feature).items() if value is not None}
    for name in ("low", "high", "default"):
        if name in facts:
            facts[name] = to_json(facts[name])
    return {**facts, "choices": [to_json(choice) for choice in feature.choices]}


def _insight_name(function: Any) -> str | None:
    """Return the name of an insight of irislib's; None if the function is the author's own."""
    from irislib import insights

    name = _own_name(function)
    return name if getattr(insights, name, None) is function else None


def _own_name(function: Any) -> str:
    return str(getattr(function, "name", None) or getattr(function, "__name__", ""))


def _restore_spec(record: dict[str, Any], estimator: Any) -> FittedSpec:
    from irislib import insights

    names = [name for _, tab in record["tabs"] for name in tab]
    if unknown := sorted(set(names) - set(insights.__all__)):
        raise ValueError(f"there are no insights {', '.join(unknown)}.")
    # earlier files may have null for a text
    texts = {item.name for item in fields(ModelSpec) if isinstance(item.default, str)}
    description = {name: value for name, value in record["spec"].items() if value is not None or name not in texts}
    return FittedSpec(
        **description,
        features=[Feature(**facts) for facts in record["features"]],
        estimator=estimator,
        examples=record["examples"],
        classes=dict(record.get("classes", ())),
        tabs={title: [getattr(insights, name) for name in tab] for title, tab in record["tabs"]},
        theme=Theme(**record.get("theme", {})),
        identity=record["identity"],
        origin=record.get("made", {}),
    )


def _require_same_predictions(path: object, model: Model, versions: dict[str, str]) -> None:
    import numpy as np

    held_out = model.evaluation
    predicted, before = model.predict_frame(held_out.trial_rows), held_out.trial_predictions
    same = np.array_equal(predicted, before) or (
        model.classes is None and np.allclose(predicted.astype(float), before.astype(float), rtol=1e-9)
    )
    if not same:
        saved = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise StoreError(f"{path} predicts otherwise here than with {saved}, with which it was saved. Install these.")
