"""Versions of trained models on disk: never a pickle, never half a file.

``<root>/<name>/<version>/`` holds ``estimator.skops`` and ``model.json``; the file
``<root>/<name>/current`` holds the version that readers get. A version is written whole beside
its final folder and then renamed; ``current`` is replaced in one step. What takes long to measure of a
version is kept in ``<root>/<name>/measured/<version>/``, whether the version is stored or not.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib import __version__
from irislib._common.paths import write_atomically
from irislib._common.settings import environment_value
from irislib._description.values import is_empty
from irislib._modeling.evaluation import Evaluation
from irislib._modeling.model import Model
from irislib.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["current", "default_root", "load_result", "read", "save", "save_result"]

log = logging.getLogger(__name__)

FORMAT = 2  # of what is stored; another one is left where it is, and the model trained anew


def default_root() -> Path:
    """``$IRISLIB_STORE``, else the user's data folder."""
    from platformdirs import user_data_path

    return Path(environment_value("store") or user_data_path("irislib") / "models")


def save(model: Model, root: Path) -> Path:
    """Store a model and make it the current version of its name.

    Parameters
    ----------
    model : Model
    root : Path
        Made if need be, for its owner alone.

    Returns
    -------
    Path
        The folder of the version.

    Raises
    ------
    StoreError
        If the folder cannot be written, or the estimator has a part that skops cannot store.
    """
    import skops.io

    versions = root / model.spec.name
    folder = versions / model.version
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        versions.mkdir(exist_ok=True)
        if not _is_sound(folder, model.spec):
            incomplete = Path(tempfile.mkdtemp(prefix=".new-", dir=versions))
            try:
                skops.io.dump(model.estimator, incomplete / "estimator.skops")
                (incomplete / "model.json").write_text(json.dumps(_record(model)), encoding="utf-8")
                shutil.rmtree(folder, ignore_errors=True)  # there only if it could not be read
                incomplete.rename(folder)
            finally:
                shutil.rmtree(incomplete, ignore_errors=True)
        pointer = versions / f".current-{os.getpid()}"
        pointer.write_text(model.version, encoding="utf-8")
        pointer.replace(versions / "current")
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{model.spec.name} cannot be stored in {root}: {error}") from error
    return folder


def current(name: str, root: Path) -> str | None:
    """Return the version of a model that readers get, or None if there is none."""
    try:
        return (root / name / "current").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def read(spec: ModelSpec, root: Path) -> Model | None:
    """Return the current version of a model, or None if there is none of this spec.

    A version trained from another description (or by another scikit-learn) is left where it is
    and not used.

    Raises
    ------
    StoreError
        If what is stored cannot be read.
    """
    versions = root / spec.name
    try:
        version = current(spec.name, root)
        return _read(versions / version, spec) if version else None
    except FileNotFoundError:
        return None
    except Exception as error:  # skops raises many kinds for a file it cannot read
        raise StoreError(f"The stored {spec.name} cannot be read from {versions}: {error}") from error


def save_result(model: Model, name: str, result: Any) -> None:
    """Keep a result of a model, for every process that has the same version; log it if it cannot be written."""
    file = _result_file(model, name)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, json.dumps({"irislib": __version__, "measured": result}))
    except OSError as error:
        log.info("%s of %s is not kept: %s", name, model.spec.name, error)


def load_result(model: Model, name: str) -> Any:
    """Return a result that this version of irislib kept for a version of a model, or None if there is none."""
    try:
        record = json.loads(_result_file(model, name).read_text(encoding="utf-8"))
        return record["measured"] if record["irislib"] == __version__ else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _result_file(model: Model, name: str) -> Path:
    return default_root() / model.spec.name / "measured" / model.version / f"{name}.json"


def _read(folder: Path, spec: ModelSpec) -> Model | None:
    import skops.io

    record = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if (record["spec_digest"], record["scikit-learn"]) != (spec.digest, _sklearn_version()):
        log.info("The stored %s %s was trained from another description; not used.", spec.name, record["version"])
        return None
    if record.get("format") != FORMAT:
        log.info("The stored %s %s was written by another irislib; not used.", spec.name, record["version"])
        return None
    file = folder / "estimator.skops"
    estimator = skops.io.load(file, trusted=_trusted(spec, skops.io.get_untrusted_types(file=file)))
    return _restore_model(spec, estimator, record)


def _is_sound(folder: Path, spec: ModelSpec) -> bool:
    try:
        return _read(folder, spec) is not None
    except Exception:  # whatever is wrong with it: it will be written anew
        return False


def _sklearn_version() -> str:
    import sklearn

    return str(sklearn.__version__)


def _trusted(spec: ModelSpec, types: list[str]) -> list[str]:
    """Return those of a file's types that may be loaded: scikit-learn's and the spec's own.

    skops leaves out a few of scikit-learn's (its trees), for a forged file could crash the process
    through them, though not run code; the store is its owner's alone.
    """
    parts = [spec.estimator, *spec.estimator.get_params(deep=True).values()]
    kinds = [part if hasattr(part, "__qualname__") else type(part) for part in parts]
    spec_types = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}
    return [name for name in types if name.startswith("sklearn.") or name in spec_types]


def _record(model: Model) -> dict[str, Any]:
    held_out = model.evaluation
    return {
        "format": FORMAT,
        "name": model.spec.name,
        "version": model.version,
        "spec_digest": model.spec.digest,
        "scikit-learn": _sklearn_version(),
        "trained_at": model.trained_at,
        "data": model.data,
        "coverage": {name: _to_json_value(covered) for name, covered in model.coverage.items()},
        "sample": _frame_to_json(model.sample),
        "evaluation": {
            "features": _frame_to_json(held_out.features),
            "y_true": held_out.y_true.tolist(),
            "y_pred": held_out.y_pred.tolist(),
            "y_proba": None if held_out.y_proba is None else held_out.y_proba.tolist(),
            "metrics": held_out.metrics,
        },
    }


def _frame_to_json(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {
        name: [None if is_empty(value) else value for value in _to_json_value(column.tolist())]
        for name, column in frame.items()
    }


def _to_json_value(value: Any) -> Any:
    """Replace dates by text: JSON has none."""
    if isinstance(value, dict):
        return {key: _to_json_value(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_to_json_value(part) for part in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) and not is_empty(value) else value


def _restore_model(spec: ModelSpec, estimator: Any, record: dict[str, Any]) -> Model:
    import numpy as np
    import pandas as pd

    held_out = record["evaluation"]
    features, sample = (pd.DataFrame(rows) for rows in (held_out["features"], record["sample"]))
    coverage = record["coverage"]
    for feature in spec.features:
        covered = coverage.get(feature.name, {})
        covered |= {end: feature.type.restore(covered[end]) for end in ("low", "high") if end in covered}
    return Model(
        spec=spec,
        estimator=estimator,
        evaluation=Evaluation(
            spec.validate(features, max_rows=len(features)),
            _array(held_out["y_true"]),
            _array(held_out["y_pred"]),
            None if held_out["y_proba"] is None else np.asarray(held_out["y_proba"]),
            held_out["metrics"],
        ),
        coverage=coverage,
        sample=spec.validate(sample, max_rows=len(sample)),
        version=record["version"],
        trained_at=record["trained_at"],
        data=record["data"],
    )


def _array(values: list[Any]) -> np.ndarray:
    import numpy as np

    return np.asarray(values, dtype=object if values and isinstance(values[0], str) else None)
