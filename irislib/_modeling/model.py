"""A trained model: a fitted estimator with its spec, evaluation and version."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.messages.validation import TEXTS
from irislib._common.tracing import span
from irislib._compiled import (
    FastForm,
    Outcome,
    column_converters,
    compiled,
    one_row_frame,
    predict_many_rows,
    predict_one,
    predicts_likeliest,
)
from irislib._description.class_names import to_names
from irislib._description.validation import check_row
from irislib._description.values import is_empty
from irislib._modeling.data_files import DataFiles
from irislib._modeling.estimators import has_threshold, probability_threshold
from irislib._modeling.evaluation import Evaluation, NoEvaluation
from irislib._modeling.notebook import model_html
from irislib._modeling.novelty import NoveltyDetector
from irislib._modeling.prediction import Prediction, Threshold, near_ties
from irislib._modeling.refusals import is_refusal, log_refusal, no_prediction
from irislib._modeling.training_warnings import (
    by_row,
    listed,
    novelty_warning,
    outside_warnings,
    training_warnings,
    unlike,
)
from irislib.errors import NotApplicableError, OutsideTrainingDataWarning, Problem, ValidationError, without_exit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._description.spec import ModelSpec
    from irislib._store.entries import Entry

__all__ = ["Model"]


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted estimator with its spec, evaluation and version.

    Attributes
    ----------
    spec : ModelSpec
    estimator : fitted scikit-learn estimator
        Fitted on the training part only: the very model that ``evaluation`` measured.
    evaluation : Evaluation
    coverage : dict of str to dict
        What the training data cover, by feature: ``low`` and ``high``, or the ``values`` seen.
    sample : DataFrame of shape (at most 1000, n_features)
        Training rows, to judge by whether a row is novel.
    version : str
        The same for the same description, code, data and libraries.
    trained_at : str
        ISO 8601, UTC; of a model that was fitted elsewhere when irislib got it.
    data : dict
        ``rows``, ``training_rows`` and ``digest`` of the data it was trained on. If it was fitted elsewhere, also
        ``fitted_elsewhere``; ``training_rows`` is None then if they were not given.
    data_files : list of dict
        The local files that the data were read from, as far as they are known, to notice that they change.
    entry : Entry, optional
        The line of the store's log that it was read by or stored with; None if it comes from no store.
    """

    spec: ModelSpec
    estimator: Any
    evaluation: Evaluation
    coverage: dict[str, dict[str, Any]]
    sample: pd.DataFrame
    version: str
    trained_at: str
    data: dict[str, Any]
    data_files: DataFiles = field(default_factory=list)
    entry: Entry | None = None

    def __repr__(self) -> str:
        if not self.is_evaluated:
            rows = "fitted elsewhere, never evaluated here"
        elif self.is_fitted_elsewhere:
            rows = f"fitted elsewhere, evaluated on {len(self.evaluation.y_true)} rows"
        else:
            rows = f"trained {self.trained_at} on {self.data['training_rows']} rows"
        return f"<Model {self.spec.name} {self.version}, {rows}>"

    def _repr_html_(self) -> str:
        return model_html(self)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_test: Any = None,  # noqa: N803 - as in scikit-learn
        y_test: Any = None,
        *,
        name: str = "model",
        X_train: Any = None,  # noqa: N803
        y_train: Any = None,
        features: Sequence[Feature] | None = None,
        target: str = "",
        **description: Any,
    ) -> Model:
        """Make a model of an estimator that is fitted already; it is neither cloned nor trained.

        Parameters
        ----------
        estimator : fitted classifier, regressor, Pipeline or search
        X_test : DataFrame or array of shape (n_test, n_features), optional
            Rows that it was not trained on, to evaluate it. Without any give ``features``: the model predicts, but
            nothing is known of how well, and no insight that needs rows can be made.
        y_test : array-like of shape (n_test,), optional
            Their true values; with ``classes`` either names or codes. Given with ``X_test``.
        name : str, default "model"
            The last part of its URL, in lower case with hyphens: ``wine``. What is only asked for insights needs none.
        X_train : DataFrame or array of shape (n_train, n_features), optional
            The rows that it was trained on, to know what they cover. Without them that is what ``X_test`` covers.
        y_train : array-like of shape (n_train,), optional
            Their true values, from which the baseline learns.
        features : sequence of Feature, optional
            Drafted by :func:`irislib.infer_features` if left out.
        target : str, optional
            What it predicts; the name of ``y_test`` if that has one.
        **description
            Any other parameter of :class:`ModelSpec`: ``title``, ``target_unit``, ``classes``, ``tabs``…

        Returns
        -------
        Model

        Raises
        ------
        SpecError
            If the estimator is not fitted or does not predict one target, or the description has a fault.
        DataError
            If the rows do not fit the estimator or the features, or the estimator predicts otherwise for values that
            have passed through the features.
        """
        from irislib._modeling.fitted import from_estimator

        return from_estimator(
            estimator,
            X_test,
            y_test,
            name=name,
            X_train=X_train,
            y_train=y_train,
            features=features,
            target=target,
            **description,
        )

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, which ``load``, ``irislib serve --model`` and the other commands read.

        The file holds the description, the estimator, the evaluation and what was learnt of the data, and no pickle.
        The estimator is read back from it, and has to predict the same, before it is there.

        Parameters
        ----------
        path : str or Path
            It ends in ``.irislib``.

        Returns
        -------
        Path

        Raises
        ------
        StoreError
            If it cannot be written, or if a part of the model cannot be kept in a file.
        """
        from irislib._modeling.model_file import write_model

        return write_model(self, Path(path))

    def publish(self, store: str | Path | None = None, note: str = "") -> Entry:
        """Put the model into a store as a new version, and make it the current one.

        Parameters
        ----------
        store : str or Path, optional
            A folder or a URL such as ``s3://bucket/models``; that of ``$IRISLIB_STORE`` if left out.
        note : str, optional
            Why, for those who read the log later.

        Returns
        -------
        Entry
            Its ``number`` in the log, ``version``, ``at`` and ``by``.

        Raises
        ------
        StoreError
            If the store cannot be written, or the estimator cannot be kept so that it is read back unchanged.
        """
        from irislib._modeling.store import default_root, publish

        return publish(self, default_root() if store is None else store, note=note)

    def evaluated_on(self, X: Any, y: Any) -> Model:  # noqa: N803 - as in scikit-learn
        """Return this model with its evaluation on other rows, such as those of a later year.

        Insights about its performance are about these rows then, as in
        ``confusion_matrix(model.evaluated_on(X, y))``.

        Parameters
        ----------
        X : sequence of mappings, or DataFrame
            See :meth:`ModelSpec.validate`. The estimator must not have been trained on them.
        y : array-like of shape (n_rows,)
            Their true values; with ``classes`` either names or codes. The baseline predicts the commonest of them, or
            their median.

        Raises
        ------
        DataError
            If a row or a true value is not valid.
        """
        from irislib._modeling.fitted import evaluated_on

        return evaluated_on(self, X, y)

    @property
    def is_fitted_elsewhere(self) -> bool:
        """True if irislib has not trained the estimator."""
        return bool(self.data.get("fitted_elsewhere"))

    @property
    def knows_training_rows(self) -> bool:
        """True if coverage and novelty are those of the rows that the estimator was trained on."""
        return self.data["training_rows"] is not None

    @property
    def is_evaluated(self) -> bool:
        """False if the model came without rows, so that nothing is known of how well it does."""
        return not isinstance(self.evaluation, NoEvaluation)

    @cached_property
    def classes(self) -> list[Any] | None:
        """The classes in the order of ``predict_proba``'s columns, by their names; None for a regression."""
        codes = getattr(self.estimator, "classes_", None)
        if codes is None or not len(codes):  # CatBoostRegressor's are empty
            return None
        return to_names(self.spec.classes, codes).tolist()  # type: ignore[no-any-return]

    def predict(self, rows: Any) -> np.ndarray:
        """Predict the target of one row or many.

        Parameters
        ----------
        rows : mapping, sequence of mappings, Series, or DataFrame
            See :meth:`ModelSpec.validate`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Classes by their names, or numbers in the unit of the target.

        Raises
        ------
        ValidationError
            Naming every wrong value.

        Warns
        -----
        OutsideTrainingDataWarning
            If a value lies beyond what the training data cover.
        """
        return self.predict_frame(self._ready(rows))

    def predict_frame(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict checked rows, such as those of :meth:`ModelSpec.validate`."""
        import numpy as np

        with without_exit():
            return to_names(self.spec.classes, np.asarray(predict_many_rows(self.estimator, "predict", frame)).ravel())

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Probability of each class for one row or many.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of :attr:`classes`; each row adds up to 1.

        Raises
        ------
        ValidationError
            Naming every wrong value.
        NotApplicableError
            For a regression, or a classifier without probabilities.

        Warns
        -----
        OutsideTrainingDataWarning
            If a value lies beyond what the training data cover.
        """
        self.require_probabilities()
        with without_exit():
            return predict_many_rows(self.estimator, "predict_proba", self._ready(rows))  # type: ignore[no-any-return]

    def predict_row(self, row: Any) -> Prediction:
        """Predict one row, with probabilities and warnings.

        Parameters
        ----------
        row : mapping, or anything that :meth:`ModelSpec.validate` accepts with one row in it

        Raises
        ------
        ValidationError
            Naming every wrong value, or that there is more than one row, or that the model gives no answer.
        """
        if isinstance(row, Mapping):
            with span("irislib.validate", model=self.spec.name):
                values, problems = check_row(self.spec.features, row)
                if problems:
                    raise ValidationError(problems)
            return self._predict(values, row)
        frame = self.spec.validate(row)
        if len(frame) > 1:
            raise ValidationError([Problem(TEXTS["rows.one"].format(count=len(frame)))])
        values = {f.name: frame[f.column].tolist()[0] for f in self.spec.features}
        return self.predict_checked({name: value for name, value in values.items() if not is_empty(value)})

    def predict_checked(self, values: Mapping[str, Any]) -> Prediction:
        """Predict one row whose values have been checked, such as the app's.

        Parameters
        ----------
        values : mapping
            The values from `check_row`, by the features' names; one that is missing may be left out.
        """
        values = {name: values.get(name) for name in self.spec.feature_names}
        return self._predict(values, values)

    def _predict(self, values: Mapping[str, Any], row: Mapping[str, Any]) -> Prediction:
        """Predict checked values, None where one is missing; the row is reported as it was before the check."""
        with span("irislib.predict", model=self.spec.name, version=self.version):
            prediction, shares = self._predict_finite(list(values.values()))
        warnings = self._row_warnings(values)
        is_outside = bool(warnings)
        probabilities = None
        if shares:
            classes = self.classes or []
            probabilities = dict(zip(classes, shares, strict=True))
            if not self.has_threshold:
                warnings += near_ties(classes, [shares]).problems
        spec = self.spec
        return Prediction(
            prediction,
            probabilities,
            spec.target_unit,
            warnings,
            self.version,
            row,
            spec.features,
            values,
            self.threshold,
            is_outside,
            spec.target_label,
            None if is_outside or self.classes is not None else self._interval(prediction),
        )

    def _predict_finite(self, values: Sequence[Any]) -> Outcome:
        """Return the outcome of :meth:`predict_values`, whose numbers are finite."""
        try:
            prediction, shares = self.predict_values(values)
        except ValidationError as error:
            log_refusal(self, error.__cause__ or error)
            raise
        numbers = (prediction,) if self.classes is None else shares or ()
        if not all(map(math.isfinite, numbers)):
            raise no_prediction()
        return prediction, shares

    def _interval(self, prediction: float) -> tuple[float, float] | None:
        width = self.evaluation.interval_width
        return None if width is None else (prediction - width, prediction + width)

    def predict_values(self, values: Sequence[Any]) -> Outcome:
        """Return the prediction alone for one checked row, and the probability of each class if there are any.

        Parameters
        ----------
        values : sequence of shape (n_features,)
            From `check_row`, in the order of the features; None where one is missing.

        Raises
        ------
        ValidationError
            If the estimator refuses the row; its own error is the cause.
        """
        form, _ = self.fast_form
        outcome = None if form is None else form.predict(values)
        if outcome is None:
            frame = one_row_frame(self.spec.features, values)
            try:
                outcome = predict_one(self.estimator, frame, self.has_probabilities)
            except Exception as error:
                if not (is_refusal(self.estimator, error) and self.answers_trial_row):
                    raise
                raise no_prediction() from error
        names = self.spec.classes
        return (names[outcome[0]], outcome[1]) if names else outcome

    def _row_warnings(self, values: Mapping[str, Any]) -> list[Problem]:
        """The warnings of :meth:`unlike_training` for one row, without a frame."""
        cells = values
        if self._converters:
            cells = dict(values)
            for name, convert in self._converters.items():
                cells[name] = None if cells[name] is None else convert(cells[name])
        outside = [Problem(message, n, v) for n, v in cells.items() if (message := unlike(self, n, v))]
        if not outside and self.novelty.is_novel({f.column: [cells[f.name]] for f in self.spec.features})[0]:
            return [novelty_warning(self)]
        return outside

    @cached_property
    def fast_form(self) -> tuple[FastForm | None, str]:
        """The fast form of the estimator, or None, and a sentence about it."""
        return compiled(self.spec, self.estimator, self.evaluation.trial_rows)

    @cached_property
    def answers_trial_row(self) -> bool:
        """False if the estimator refuses a row that it has answered before: it is broken, whatever the row is."""
        if not self.is_evaluated:
            return True  # the estimator need not take the made-up rows
        try:
            predict_one(self.estimator, self.evaluation.trial_rows.head(1), self.has_probabilities)
        except Exception:
            return False
        return True

    @cached_property
    def has_threshold(self) -> bool:
        """True if the estimator decides by a threshold of its own, not by the largest probability."""
        return has_threshold(self.estimator)

    @cached_property
    def threshold(self) -> Threshold | None:
        """The class that the estimator predicts from a probability on, if all test rows confirm it; else None."""
        limit, held_out = probability_threshold(self.estimator), self.evaluation
        if limit is None or not self.is_evaluated or held_out.y_proba is None:
            return None
        for i, label in enumerate(self.classes or ()):
            if ((held_out.y_proba[:, i] >= limit) == (held_out.y_pred == label)).all():
                return Threshold(label, limit)
        return None

    @cached_property
    def predicts_likeliest(self) -> bool:
        """True if ``predict`` was proved to return the class of the largest probability."""
        return predicts_likeliest(self.estimator, self.evaluation.trial_rows)

    @cached_property
    def _converters(self) -> dict[str, Callable[[Any], Any]]:
        return column_converters(self.spec.features)

    @property
    def has_probabilities(self) -> bool:
        """True if the estimator predicts probabilities."""
        return self.classes is not None and hasattr(self.estimator, "predict_proba")

    def require_probabilities(self) -> None:
        """Raise NotApplicableError if there are no probabilities, saying why."""
        if self.classes is None:
            raise NotApplicableError(TEXTS["no_classes"].format(model=self.spec.title))
        if not self.has_probabilities:
            raise NotApplicableError(TEXTS["no_probabilities"].format(estimator=type(self.estimator).__name__))

    @cached_property
    def novelty(self) -> NoveltyDetector:
        """The detector of rows unlike the training rows."""
        return NoveltyDetector(self.spec.features, self.sample)

    def outside_training(self, frame: pd.DataFrame) -> list[Problem]:
        """The values of validated rows that lie beyond what the training data cover."""
        return listed(outside_warnings(self, frame), len(frame))

    def unlike_training(self, frame: pd.DataFrame) -> list[Problem]:
        """The values beyond what the training data cover, and the rows that are novel though each value is covered.

        Returns
        -------
        list of Problem
            One about a row as a whole has no feature. About 3 of 100 rows like the training rows get one, too.
        """
        return listed(training_warnings(self, frame), len(frame))

    def warnings_by_row(self, frame: pd.DataFrame) -> dict[int, list[Problem]]:
        """The warnings of :meth:`unlike_training` by the positions of their rows, for many rows.

        They do not have the row themselves, so that equal ones are one object.
        """
        return by_row(training_warnings(self, frame))

    def _ready(self, rows: Any) -> pd.DataFrame:
        frame = self.spec.validate(rows)
        if outside := self.outside_training(frame):
            more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
            warnings.warn(f"{outside[0]}{more}", OutsideTrainingDataWarning, stacklevel=3)
        return frame
