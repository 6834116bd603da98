"""Fitted estimators in files, and the Python that reads each again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import join_words
from irislib._common.messages.new import ESTIMATOR_FILE
from irislib._description.code_digest import is_installed
from irislib._description.fingerprint import estimator_parts, library_versions
from irislib._description.values import to_python
from irislib._modeling.estimators import check_estimator, is_fitted, last_step
from irislib._project.python_text import Call, Node, Sequenced, literal
from irislib.errors import DataError, StoreError, without_exit

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["EstimatorSource", "describe_estimator", "read_estimator"]

NAMES_IN_FILE = {"model.json": "irislib", "schema.json": "skops"}  # of a zip
SHOWN = 4  # steps of a pipeline
# Names of modules that only other versions of these have
MOVED = {"sklearn": "scikit-learn", "numpy": "NumPy", "pandas": "pandas", "scipy": "SciPy"}


@dataclass(frozen=True)
class EstimatorSource:
    """A fitted estimator, and the code that reads it.

    Attributes
    ----------
    estimator : estimator
        Fitted.
    path : Path
        The file to copy into a project.
    node : Node
        The Python that reads it from ``ESTIMATOR``, the path of the file.
    imports : tuple of str
        The import lines that this needs.
    requirements : tuple of str
        The packages that it consists of, in the versions of here.
    modules : mapping of str to Path
        The person's own files that it needs, by the paths that a project has them under.
    digest : str
        SHA-256 of the file.
    saved : Model or None
        The model of a file of irislib's own.
    """

    estimator: Any
    path: Path
    node: Node
    imports: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)
    digest: str = ""
    saved: Model | None = None

    @property
    def is_classifier(self) -> bool:
        """False for a regressor."""
        from sklearn.base import is_classifier

        return bool(is_classifier(self.estimator))

    @property
    def classes(self) -> list[Any]:
        """The classes that it predicts, none for a regressor."""
        import numpy as np

        return np.asarray(self.estimator.classes_).tolist() if self.is_classifier else []

    @property
    def columns(self) -> list[Any] | None:
        """The names of the columns that it was fitted on; None if it was fitted on an array."""
        names = getattr(self.estimator, "feature_names_in_", None)
        return None if names is None else [to_python(name) for name in names]


def read_estimator(name: str) -> EstimatorSource:
    """Read a fitted estimator from a file of joblib, pickle, skops or irislib's own.

    Parameters
    ----------
    name : str
        The path of the file. Reading a pickle runs code that is in it.

    Raises
    ------
    DataError
        If it holds no fitted estimator that predicts one target here as it did where it was written; one sentence says
        what is wrong and what to do.
    """
    path = Path(name)
    if not os.path.isfile(path):  # unlike Path's, of any text
        raise DataError(ESTIMATOR_FILE["folder" if os.path.isdir(path) else "absent"].format(path=path))
    if not path.stat().st_size:
        raise DataError(ESTIMATOR_FILE["empty"].format(path=path))
    kind = _kind(path)
    saved: Model | None = None
    node: Node
    if kind == "irislib":
        saved = _read_own(path)
        estimator, node, imports = saved.estimator, Call("irislib.load", ("ESTIMATOR",)), ("import irislib",)
    elif kind == "skops":
        estimator, node = _read_skops(path)
        imports = ("import skops.io",)
    else:
        estimator, node, imports = _read_pickle(path), Call("joblib.load", ("ESTIMATOR",)), ("import joblib",)
    _require_estimator(path, estimator)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return EstimatorSource(
        estimator, path, node, imports, _requirements(estimator), _own_modules(path, estimator), digest, saved
    )


def _kind(path: Path) -> str:
    if not zipfile.is_zipfile(path):
        return "pickle"
    with zipfile.ZipFile(path) as file:
        kinds = [kind for name, kind in NAMES_IN_FILE.items() if name in file.namelist()]
    if not kinds:
        raise DataError(ESTIMATOR_FILE["other"].format(path=path))
    return kinds[0]


def _read_own(path: Path) -> Model:
    from irislib._modeling.model_file import SUFFIX, read_model

    if path.suffix != SUFFIX:
        raise DataError(ESTIMATOR_FILE["suffix"].format(path=path, name=path.with_suffix(SUFFIX).name))
    with _search_path(path):
        try:
            return read_model(path)
        except StoreError as error:
            raise DataError(str(error)) from error


def _read_skops(path: Path) -> tuple[Any, Node]:
    """Return the estimator of a skops file, and the Python that reads it, with the types that it trusts."""
    import skops.io

    from irislib._modeling.estimator_file import load_estimator
    from irislib._modeling.trusted_types import audit

    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        written = json.loads(file.read("schema.json")).get("_skops_version", "")
    try:
        with _search_path(path):
            refused = audit(content, modules=None)[1]
            own = {name.partition(".")[0] for name in skops.io.get_untrusted_types(data=content)} - {"__main__"}
            estimator = None if refused else load_estimator(content, own)
    except StoreError as error:
        raise DataError(ESTIMATOR_FILE["unreadable"].format(path=path, reason=error)) from error
    except Exception as error:  # what is damaged fails in its own way
        reason = f"{type(error).__name__}: {error} (skops {written})"
        raise DataError(ESTIMATOR_FILE["unreadable"].format(path=path, reason=reason)) from error
    if refused:
        raise DataError(ESTIMATOR_FILE["refused"].format(path=path, names=", ".join(refused[:5])))
    trusted = Sequenced([literal(name) for name in skops.io.get_untrusted_types(data=content)])
    return estimator, Call("skops.io.load", ("ESTIMATOR",), {"trusted": trusted})


def _read_pickle(path: Path) -> Any:
    import joblib

    caught: list[warnings.WarningMessage] = []
    try:
        with _search_path(path), warnings.catch_warnings(record=True) as caught, without_exit():
            warnings.simplefilter("always")
            estimator = joblib.load(path)
    except Exception as error:  # what is no pickle, or is damaged, fails in its own way
        _require_version(path, caught)
        raise DataError(_describe(path, error)) from error
    _require_version(path, caught)
    return estimator


def _require_version(path: Path, caught: Sequence[warnings.WarningMessage]) -> None:
    """Refuse a file of another scikit-learn, by the warnings that it gave."""
    from sklearn import __version__
    from sklearn.exceptions import InconsistentVersionWarning

    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            written = warning.message.original_sklearn_version
            raise DataError(ESTIMATOR_FILE["version"].format(path=path, written=written, here=__version__))


def _describe(path: Path, error: Exception) -> str:
    """Return a sentence about why a pickle could not be read."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in MOVED:
            return ESTIMATOR_FILE["moved"].format(path=path, library=MOVED[package], module=error.name)
        return ESTIMATOR_FILE["module"].format(path=path, module=error.name, package=package)
    lost = re.match(r"Can't get attribute '([^']+)' on <module '([^']+)'", str(error))
    if lost:
        key = "main" if lost[2] == "__main__" else "attribute"
        return ESTIMATOR_FILE[key].format(path=path, name=lost[1], module=lost[2])
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")
    return ESTIMATOR_FILE["unreadable"].format(path=path, reason=reason)


@contextmanager
def _search_path(path: Path) -> Iterator[None]:
    """Let modules be found beside a file and in the current folder, after those that are installed."""
    before = [*sys.path]
    sys.path += _roots(path)
    try:
        yield
    finally:
        sys.path[:] = before


def _roots(path: Path) -> list[str]:
    return list(dict.fromkeys([str(Path.cwd()), str(path.absolute().parent)]))


def _require_estimator(path: Path, estimator: Any) -> None:
    """Raise DataError unless a value is an estimator that is fitted and predicts one target."""
    name = type(estimator).__name__
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        hint = ""
        if isinstance(estimator, Mapping):
            keys = [key for key, value in estimator.items() if hasattr(value, "predict")]
            hint = ESTIMATOR_FILE["part"].format(key=keys[0], path=path) if keys else ""
        elif hasattr(estimator, "predict") and not isinstance(estimator, type):
            hint = ESTIMATOR_FILE["interface"]
        raise DataError(f"{ESTIMATOR_FILE['no_estimator'].format(path=path, type=name)} {hint}".strip())
    if faults := check_estimator(estimator):
        raise DataError(f"{path}: {faults[0].removeprefix('estimator: ')}")
    if not is_fitted(estimator):
        raise DataError(ESTIMATOR_FILE["unfitted"].format(path=path, type=name))
    last = last_step(estimator)
    is_network = getattr(last, "out_activation_", "") == "softmax"  # whose outputs are the classes of one target
    if (count := getattr(last, "n_outputs_", 1)) > 1 and not is_network:
        raise DataError(ESTIMATOR_FILE["targets"].format(path=path, type=name, count=count))


def _requirements(estimator: Any) -> tuple[str, ...]:
    """Return the packages of an estimator's parts, in the versions of here."""
    needs = set()
    for name in library_versions(estimator):
        try:
            owner = distribution(name).metadata["Name"]
        except PackageNotFoundError:
            owner = packages_distributions()[name][0]
        if "+" not in version(owner):  # no index has it
            needs.add(f"{re.sub(r'[-_.]+', '-', owner).lower()}=={version(owner)}")
    return tuple(sorted(needs))


def _own_modules(path: Path, estimator: Any) -> dict[str, Path]:
    """Return the person's own files that an estimator needs, by their paths beside its file or here."""
    packages = {str(getattr(part, "__module__", type(part).__module__)) for part in estimator_parts(estimator)}
    top = {name.partition(".")[0] for name in packages} - {"__main__", "irislib", "builtins"}
    files = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] not in top or not file or is_installed(file):
            continue
        for root in _roots(path):
            if Path(file).absolute().is_relative_to(root):
                files[Path(file).absolute().relative_to(root).as_posix()] = Path(file)
                break
    return files


def describe_estimator(estimator: Any) -> str:
    """Return an estimator as a part of a sentence: ``a Pipeline of StandardScaler and SVC``."""
    name = type(estimator).__name__
    steps = [type(step).__name__ for _, step in getattr(estimator, "steps", ()) if step != "passthrough"]
    parts = [*steps[: SHOWN - 1], "…", steps[-1]] if len(steps) > SHOWN else steps
    article = "an" if name[0] in "AEIO" else "a"
    return f"{article} {name}" + (f" of {join_words(parts)}" if parts else "")
