"""The description of a model."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import readable_name
from irislib._common.routes import reserved_names
from irislib._common.user_code import call_site
from irislib._description import fingerprint
from irislib._description.class_names import class_names, describe_class_faults
from irislib._description.feature import Feature
from irislib._description.feature_types import FEATURE_TYPES
from irislib._description.theme import Theme, folder_of_author
from irislib._description.translation import describe_translation_faults
from irislib._description.validation import check_values
from irislib._description.values import normalized
from irislib.errors import SpecError, ValidationError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelSpec", "describe_faults"]

MAX_INTRODUCTION = 240  # characters
_PATH_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """The description of a model, from which everything else is made.

    The first five must be given; the others have defaults.

    Parameters
    ----------
    name : str
        The last part of its URL, in lower case with hyphens: ``iris-wizard``.
    features : sequence of Feature
        The inputs, in the order of the form and of the estimator's columns.
    target : str
        The column of the data that the model learns to predict.
    load_data : callable
        Takes nothing and returns a :class:`pandas.DataFrame` with the features and the target.
    estimator : scikit-learn classifier, regressor or Pipeline
        Not yet fitted; it gets a DataFrame with the features as named columns.

    Other Parameters
    ----------------
    title : str
        What people call it; made from the name where left out.
    target_label : str
        What people call the target: ``Monthly rent``; its name in plain words where left out.
    target_unit : str
        The unit of a regression's answer.
    test_size : float, default 0.2
        The part of the data held out to measure how well the model does.
    random_state : int, default 0
        Seeds the split and every part of the estimator that was left unseeded.
    examples : mapping of str to mapping
        Named rows to try: ``{"A typical setosa": {"petal_length_cm": 1.4, …}}``.
    source : str
        Who collected the data, where, and their DOI.
    action : str, default "Predict"
        The words on the button.
    classes : mapping of code to str, optional
        Names of the classes that the estimator predicts as codes: ``{0: "no", 1: "yes"}``. People and programs see
        the names alone. The target may hold either: the estimator is trained on the codes, so that XGBoost takes
        a target of text. Of a ``LabelEncoder``: ``dict(enumerate(encoder.classes_))``.
    positive_class : str, int or bool, optional
        Of two classes the one that is looked for, by its name; the second where left out.
    threshold : float, optional
        The probability from which on the positive class is predicted, at every door, instead of the likelier one.
        See :func:`irislib.insights.decision_threshold`.
    max_rows : int, default 100000
        The most rows of a CSV file that the app accepts; the library takes any number.
    tabs : mapping of str to sequence of callable, optional
        What the app shows besides the prediction: by each tab's title its insights, instead of
        :func:`irislib.insights.default_tabs`. Each takes the model, or the model and an answer.
    purpose : str
        What the model is for and who should use it, for its card. An empty line begins a paragraph.
    limits : str
        When not to use it, and what it was not trained on.
    license : str
        The terms under which the model and its data may be used.
    contact : str
        Who answers for the model, and how to reach them.
    live : bool, optional
        True if the app's answer follows each change of the form; the button then adds it to the history and updates
        the other tabs. False if it waits for the button. By default True if one row takes at most 20 ms to predict.
    feedback : str, Path or callable, optional
        Where the app stores what visitors report about answers that look wrong: a file of one JSON object a line,
        beside the file of the description if its path is relative, or a function that takes such an object as a dict.
        By default nothing is asked or stored.
    theme : Theme, optional
        The colours, logo, icon, font and footer of its pages; irislib's own where left out.
    translations : mapping of str to mapping, optional
        The texts above in another language, for visitors whose browser prefers it: ``{"de": {"Petal length":
        "Länge des Blütenblatts"}}``. Labels, help, groups, examples, titles of tabs and the theme's footer count, and
        units that are words; names, values and classes stay as they are, and programs are answered in the language of
        the description. ``irislib check`` names what lacks a translation.

    Raises
    ------
    SpecError
        With every fault of the description, not only the first.
    """

    name: str
    features: Sequence[Feature]
    target: str
    load_data: Callable[[], pd.DataFrame]
    estimator: Any
    title: str = ""
    target_label: str = ""
    target_unit: str = ""
    test_size: float = 0.2
    random_state: int = 0
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str = ""
    action: str = "Predict"
    classes: Mapping[Any, str] = field(default_factory=dict)
    positive_class: Any = None
    threshold: float | None = None
    max_rows: int = 100_000
    tabs: Mapping[str, Sequence[Callable[..., Any]]] = field(default_factory=dict)
    purpose: str = ""
    limits: str = ""
    license: str = ""
    contact: str = ""
    live: bool | None = None
    feedback: str | Path | Callable[[dict[str, Any]], Any] | None = None
    theme: Theme = field(default_factory=Theme)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_defined_at", call_site())
        if not self.title:
            object.__setattr__(self, "title", str(self.name).replace("-", " ").capitalize())
        if not self.target_label:
            object.__setattr__(self, "target_label", readable_name(str(self.target), self.target_unit))
        object.__setattr__(self, "classes", class_names(self.classes))
        if isinstance(self.feedback, str | Path) and str(self.feedback):
            object.__setattr__(self, "feedback", folder_of_author() / self.feedback)
        if faults := self._faults():
            raise SpecError(f"The description of model {self.name!r}", faults)

    def _repr_html_(self) -> str:
        from irislib._modeling.notebook import spec_html

        return spec_html(self)

    @property
    def introduction(self) -> str:
        """The first sentence of its purpose, to stand under its title; cut if it is long."""
        paragraph = " ".join(self.purpose.split("\n\n")[0].split())
        sentence = re.split(r"(?<=[.!?])\s+(?=[^\W\d_a-z])", paragraph, maxsplit=1)[0]
        return textwrap.shorten(sentence, MAX_INTRODUCTION, placeholder=" …")

    @property
    def feature_names(self) -> list[str]:
        """The names of the features, in order."""
        return [feature.name for feature in self.features]

    @property
    def columns(self) -> list[Any]:
        """The data's own names of the features, in order: the columns that the estimator gets."""
        return [feature.column for feature in self.features]

    def validate(self, rows: Any, max_rows: int | None = None) -> pd.DataFrame:
        """Check rows and return them as the estimator wants them.

        Parameters
        ----------
        rows : mapping, sequence of mappings, Series, or DataFrame
            One row or many, by the features' names; the order of the names never matters.
        max_rows : int, optional
            The most rows to accept; any number if left out.

        Returns
        -------
        DataFrame of shape (n_rows, n_features)
            The features' columns in their order, each of its kind's dtype.

        Raises
        ------
        ValidationError
            With every problem of every row.
        """
        frame, problems = check_values(self.features, rows, max_rows)
        if problems:
            raise ValidationError(problems)
        return frame

    def describe(self) -> dict[str, Any]:
        """The description as plain data, without the functions."""
        facts = ("name", "title", "target", "target_label", "target_unit", "test_size", "random_state", "source")
        return {
            **{fact: getattr(self, fact) for fact in facts},
            "features": [asdict(feature) for feature in self.features],
            "estimator": repr(self.estimator.get_params(deep=True)),
            **({"classes": list(self.classes.items())} if self.classes else {}),
        }

    @property
    def digests(self) -> dict[str, dict[str, str]]:
        """Digests of what the trained model depends on besides the data: the description, code and libraries.

        Texts for people do not count, nor do the comments, docstrings and formatting of code.
        """
        return {
            "description": {**fingerprint.description_digests(self), **self._estimator_digests()},
            "code": fingerprint.estimator_code(self),
            "versions": fingerprint.library_versions(self.estimator),
        }

    @property
    def digest(self) -> str:
        """A hash of what the trained model depends on besides the data."""
        return hashlib.sha256(json.dumps(self.digests, sort_keys=True).encode()).hexdigest()

    def _estimator_digests(self) -> dict[str, str]:
        return fingerprint.estimator_digests(self.estimator)

    def _faults(self) -> list[str]:
        faults = []
        if not _PATH_NAME.fullmatch(str(self.name)):
            faults.append(f"name: use lower case, digits and hyphens ('iris-wizard'), got {self.name!r}.")
        if self.name in reserved_names():
            faults.append(f"name: {self.name!r} is a path of the server itself; choose another.")
        is_list = isinstance(self.features, Iterable)
        if not is_list or not all(isinstance(feature, Feature) for feature in self.features):
            return [*faults, "features: give a list of Feature(…)."]
        faults += [f"{name}: give a text, got {value!r}." for name, value in self._values_not_text().items()]
        faults += describe_faults(self.features)
        for feature in self.features:
            if feature.kind in FEATURE_TYPES and not feature.type.in_models:
                faults.append(f"{feature.name}: a model cannot have a {feature.kind} among its features.")
            if not feature.required and feature.control in ("slider", "checkbox"):
                faults.append(f"{feature.name}: a {feature.control} always has a value; leave out required=False.")
        if self.target in (*self.feature_names, *self.columns):
            faults.append(f"target: {self.target!r} is also a feature; a model cannot be told the answer.")
        if not isinstance(self.theme, Theme):
            faults.append(f"theme: give an irislib.Theme(…), got a {type(self.theme).__name__}.")
        faults += self._feedback_faults()
        faults += self._source_faults()
        faults += describe_class_faults(self.classes, self.estimator)
        faults += self._threshold_faults()
        if not 0 < self.test_size < 1:
            faults.append(f"test_size: a part between 0 and 1, such as 0.2, got {self.test_size}.")
        if not_mappings := self._mapping_faults():
            return [*faults, *not_mappings]
        for title, functions in self.tabs.items():
            is_list = isinstance(functions, Iterable) and not isinstance(functions, str)
            if not is_list or not all(map(callable, functions)):
                faults.append(f"tabs: {title!r} must be a list of functions, such as [insights.confusion_matrix].")
        if not faults:
            for name, row in self.examples.items():
                _, problems = check_values(self.features, row, 1)
                faults += [f"example {name!r}: {problem}" for problem in problems]
            faults += describe_translation_faults(self)
        return faults

    def _values_not_text(self) -> dict[str, Any]:
        """Return the attributes that must be texts and are none."""
        texts = {item.name: getattr(self, item.name) for item in fields(ModelSpec) if isinstance(item.default, str)}
        return {name: value for name, value in texts.items() if not isinstance(value, str)}

    def _mapping_faults(self) -> list[str]:
        """Return which attributes are no mappings although they must be, one sentence each."""
        contents = {
            "tabs": "titles and lists of functions, {'Insights': […]}",
            "examples": "titles and rows, {'A typical row': {…}}",
            "translations": "texts by language, {'de': {'Price': 'Preis'}}",
        }
        return [
            f"{name}: give a dict of {content}, got a {type(value).__name__}."
            for name, content in contents.items()
            if not isinstance(value := getattr(self, name), Mapping)
        ]

    def _feedback_faults(self) -> list[str]:
        """Return what is wrong with where feedback is stored, one sentence each."""
        target = self.feedback
        if target is None or (callable(target) and not isinstance(target, type)):
            return []
        if not isinstance(target, Path):
            return [f"feedback: give the path of a file, or a function that takes a dict, got {target!r}."]
        if target.is_dir():
            return [f"feedback: {target} is a folder; give a file, such as feedback.jsonl."]
        return [] if target.parent.is_dir() else [f"feedback: there is no folder {target.parent}."]

    def _threshold_faults(self) -> list[str]:
        """Return what is wrong with the threshold, one sentence each."""
        if self.threshold is None:
            return []
        faults = []
        if not (isinstance(self.threshold, float | int) and 0 < self.threshold < 1):
            faults.append(f"threshold: a probability above 0 and below 1, such as 0.3, got {self.threshold!r}.")
        if self.positive_class is None:
            faults.append("threshold: say of which class it is the probability: positive_class=….")
        if not hasattr(self.estimator, "predict_proba"):
            faults.append(f"threshold: {type(self.estimator).__name__} predicts no probabilities.")
        return faults

    def _source_faults(self) -> list[str]:
        """Return what is wrong with the data and the estimator to train, one sentence each."""
        from irislib._modeling.estimators import check_estimator, is_fitted

        faults = []
        if not callable(self.load_data):
            faults.append("load_data: give a function that takes nothing and returns a DataFrame.")
        faults += check_estimator(self.estimator)
        if not faults and is_fitted(self.estimator):
            name = type(self.estimator).__name__
            faults.append(
                f"estimator: this {name} is fitted already, and would be trained anew. To serve it as it is, use "
                "Model.from_estimator(estimator, X_test, y_test, name=…); to train it, give sklearn.base.clone(…)."
            )
        return faults


def describe_faults(features: Sequence[Feature]) -> list[str]:
    """Return what is wrong with a list of features, one sentence each."""
    if not isinstance(features, Iterable) or not all(isinstance(feature, Feature) for feature in features):
        return ["features: give a list of Feature(…)."]
    names, labels = [feature.name for feature in features], [feature.label for feature in features]
    columns = [normalized(feature.column) for feature in features]
    faults = [fault for feature in features for fault in feature.faults()]
    faults += [f"{name}: two features have this name." for name in _duplicates(names)]
    faults += [f"{label!r}: two features have this label." for label in _duplicates(labels) if not _duplicates(names)]
    faults += [
        f"{column!r}: two features have this column." for column in _duplicates(columns) if not _duplicates(names)
    ]
    for feature in features:
        if feature.column != feature.name and feature.column in names:
            faults.append(f"{feature.name}: its column {feature.column!r} is the name of another feature.")
    if "token" in names:
        faults.append("token: the server takes a token in an address for its own; choose another name.")
    return faults or ([] if names else ["features: give at least one Feature."])


def _duplicates(names: list[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]
