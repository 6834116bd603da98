"""Names of the classes that an estimator predicts as codes, and the translation between the two.

Only the estimator and the rows that it is trained on have codes; a model has names everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib._description.values import to_python
from irislib.errors import DataError, SpecError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["class_names", "describe_class_faults", "require_names", "to_codes", "to_names"]


def class_names(classes: Any) -> Any:
    """Return names by their codes as plain Python data; what is no mapping stays as it is."""
    if not isinstance(classes, Mapping):
        return classes
    return {to_python(code): to_python(name) for code, name in classes.items()}


def describe_class_faults(names: Any, estimator: Any) -> list[str]:
    """Return what is wrong with the names of an estimator's classes, one sentence each."""
    from sklearn.base import is_regressor

    if not isinstance(names, Mapping):
        return [
            f"classes: give names by the codes that the estimator predicts, such as {{0: 'no', 1: 'yes'}}, got "
            f"{type(names).__name__}; for names in the order of the codes: dict(enumerate(names))."
        ]
    if names and is_regressor(estimator):
        return [f"classes: {type(estimator).__name__} predicts numbers, which have no names; leave classes out."]
    faults = [
        f"classes: the name of {code!r} must be text, got {name!r}."
        for code, name in names.items()
        if not isinstance(name, str) or not name.strip()
    ]
    if not faults:
        repeated = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
        faults += [f"classes: two codes have the name {name!r}." for name in repeated]
        faults += [
            f"classes: {name!r} is the name of {code!r}, and a code itself."
            for code, name in names.items()
            if name != code and name in names
        ]
    return faults


def require_names(names: Mapping[Any, str], estimator: Any, subject: str) -> None:
    """Raise SpecError if a fitted estimator predicts a code that has no name."""
    codes = [to_python(code) for code in getattr(estimator, "classes_", ())]
    if names and (missing := [repr(code) for code in codes if code not in names]):
        known = ", ".join(repr(code) for code in names)
        raise SpecError(
            subject, [f"classes: {', '.join(missing)} has no name; the estimator predicts it, and there are {known}."]
        )


def to_codes(names: Mapping[Any, str], values: np.ndarray, subject: str) -> np.ndarray:
    """Return the codes of true values that are all names or all codes.

    Raises
    ------
    DataError
        If a value is neither, or some are names and others are codes.
    """
    import numpy as np

    if not names:
        return values
    codes = {name: code for code, name in names.items()}
    labels = values.tolist()
    seen = set(labels)
    if seen <= names.keys():
        return values
    if seen <= codes.keys():
        return np.array([codes[label] for label in labels], dtype=object).astype(_dtype(names))
    unknown = sorted(repr(label) for label in seen - names.keys() - codes.keys())
    if not unknown:
        raise DataError(f"{subject} holds both names of classes and codes; give either.")
    known = ", ".join(f"{code!r} ({name})" for code, name in names.items())
    raise DataError(f"{subject} has unknown classes: {', '.join(unknown)}; classes names {known}.")


def to_names(names: Mapping[Any, str], codes: np.ndarray) -> np.ndarray:
    """Return the names of predicted codes; the codes themselves if classes have no names."""
    import numpy as np

    return np.array([names[code] for code in codes.tolist()], dtype=object) if names else codes


def _dtype(names: Mapping[Any, str]) -> Any:
    """Return the dtype of the codes: text stays an object, as scikit-learn has it."""
    import numpy as np

    array = np.array(list(names))
    return array.dtype if array.dtype.kind in "biuf" else object
