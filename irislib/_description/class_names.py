"""Names of the classes that an estimator predicts as codes, and the translation between the two.

Only the estimator and the rows that it is trained on have codes; a model has names everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from irislib._description.values import to_python
from irislib.errors import DataError, SpecError

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "class_matcher",
    "class_names",
    "describe_class_faults",
    "is_same_class",
    "require_names",
    "to_codes",
    "to_names",
]

WHOLE = re.compile(r"(?<=\d)[.,]0+$")  # of a whole number as a float


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


def class_matcher(classes: Iterable[Any]) -> Callable[[Any], Any]:
    """Return a function from a value of a file or a request to the class that it stands for; else a KeyError.

    A value may be written as other programs do: 1 for 1.0, 1.0 or 1,0 for 1, and true for True.

    Parameters
    ----------
    classes : iterable of object
        Names or codes.
    """
    exact = {str(known): known for known in classes}
    alike = {_alike(text): known for text, known in exact.items()}
    numbers = {known: known for known in exact.values() if type(known) in (int, float)}

    def match(value: Any) -> Any:
        if (text := str(value)) in exact:
            return exact[text]
        if (text := _alike(text)) in alike:
            return alike[text]
        try:
            return numbers[float(text.replace(",", "."))]
        except ValueError:
            raise KeyError(value) from None

    return match


def _alike(text: str) -> str:
    """Return text that is the same for 1, 1.0 and 1,0, and for true and True."""
    text = WHOLE.sub("", text)
    return text.casefold() if text.casefold() in ("true", "false") else text


def is_same_class(one: Any, other: Any) -> bool:
    """Return whether two classes of a log are the same: a prediction of it is 1.0 where a report may be 1."""
    return bool(one == other) or str(one) == str(other)


def to_names(names: Mapping[Any, str], codes: np.ndarray) -> np.ndarray:
    """Return the names of predicted codes; the codes themselves if classes have no names."""
    import numpy as np

    return np.array([names[code] for code in codes.tolist()], dtype=object) if names else codes


def _dtype(names: Mapping[Any, str]) -> Any:
    """Return the dtype of the codes: text stays an object, as scikit-learn has it."""
    import numpy as np

    array = np.array(list(names))
    return array.dtype if array.dtype.kind in "biuf" else object
