"""Two versions of a model, compared on rows that neither was trained on, and the gate between them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

import irislib
from irislib import Feature, ModelSpec, compare, train
from irislib._comparison.gate import decide
from irislib._comparison.paired import accuracies, errors, mcnemar
from irislib._modeling.row_digests import known_rows, row_digests
from irislib._modeling.training import retrain
from irislib._modeling.training_data import checked
from irislib.errors import NotApplicableError

N = 1200


def table(make, **options) -> pd.DataFrame:
    x, y = make(N, n_features=4, n_informative=3, random_state=3, **options)
    return pd.DataFrame(x, columns=list("abcd")).round(3).assign(answer=y)


CLASSES = table(make_classification, n_redundant=0, class_sep=1.0).assign(
    answer=lambda data: data.answer.map({0: "no", 1: "yes"})
)
NUMBERS = table(make_regression, noise=1)


def no_data() -> pd.DataFrame:
    raise AssertionError("It is given.")


describe = partial(
    ModelSpec, "switch", [Feature(name) for name in "abcd"], "answer", no_data, test_size=0.25, live=False
)
SPECS = {
    "classifier": (describe(RandomForestClassifier(10)), CLASSES),
    "regressor": (describe(DecisionTreeRegressor(min_samples_leaf=5)), NUMBERS),
}


def shuffled(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(answer=np.random.default_rng(1).permutation(data.answer))


@pytest.mark.parametrize("kind", SPECS)
def test_a_version_of_twice_the_data_is_accepted_and_one_of_shuffled_labels_refused(kind: str) -> None:
    spec, data = SPECS[kind]
    current = train(spec, data[: N // 2])
    for candidate in (retrain(spec, data, current), retrain(spec, data.sample(frac=1, random_state=2), current)):
        decision = decide(current, candidate)
        assert decision.accepted, decision.reason
        assert decision.reason.startswith(f"It is not worse than {current.version} beyond the margin: On ")
    # in place of the rows, and beside them
    for bad in (shuffled(data), pd.concat([data[: N // 4], shuffled(data[N // 4 :])])):
        refused = decide(current, retrain(spec, bad, current))
        assert not refused.accepted
        assert refused.reason.startswith(f"It may be worse than {current.version} beyond the margin of 5 ")


def test_one_that_learnt_nothing_is_refused_where_the_former_rows_are_too_few_to_tell() -> None:
    spec, data = replace(SPECS["classifier"][0], estimator=LogisticRegression()), CLASSES
    current = train(spec, data[:60])
    many = shuffled(pd.concat([data[60:]] * 2))
    decision = decide(current, retrain(spec, many, current), margin=1)
    assert decision.reason.startswith("It has learnt nothing: on its held-out rows it is no better than always")


@pytest.mark.parametrize("kind", SPECS)
def test_rows_that_either_was_trained_on_are_left_out(kind: str) -> None:
    spec, data = SPECS[kind]
    current, other = train(spec, data), train(replace(spec, random_state=1), data)
    comparison = compare(current, other)
    features, target = checked(spec, data)
    trained = [set(known_rows(model).training) for model in (current, other)]
    digests = row_digests(features, target)
    assert len(set(digests)) == N
    fresh = [digest not in trained[0] and digest not in trained[1] for digest in digests]
    assert comparison.rows == sum(fresh) > 20
    assert comparison.left_out == sum((d in trained[0]) != (d in trained[1]) for d in digests)
    # the same rows of a table, wherever they are in it
    again = compare(current, other, data.sample(frac=1, random_state=1))
    assert again.rows == comparison.rows
    assert again.frame.before.to_dict() == pytest.approx(comparison.frame.before.to_dict())
    # a model that was not trained here, or before digests were kept: its own test rows alone are sure
    old = replace(current, data={key: value for key, value in current.data.items() if key != "row_digests"})
    assert compare(old, other).rows == comparison.rows
    assert compare(old, replace(other, data=old.data)).rows == comparison.rows


def test_a_row_never_changes_sides_and_copies_of_a_row_have_their_own() -> None:
    spec, data = SPECS["classifier"]
    data = pd.concat([data[:300], data[:300].sample(60, random_state=0)])
    first = train(spec, data[:200])
    second = retrain(spec, data[:280], first)
    third = retrain(spec, data.sample(frac=1, random_state=5), second)
    for old, new in ((first, second), (second, third), (first, third)):
        before, after = known_rows(old), known_rows(new)
        assert set(before.training) <= set(after.training)
        assert set(before.test) <= set(after.test)
        assert compare(old, new).left_out == 0
    assert 0.15 < len(known_rows(third).test) / len(data) < 0.35
    features, target = checked(spec, data)
    assert len(set(row_digests(features, target))) == len(data)  # copies have their own
    assert retrain(spec, data[:200], first).version != first.version  # as its rows are in another order


def test_a_class_of_few_new_rows_is_learnt() -> None:
    spec, data = SPECS["classifier"]
    current = train(spec, data[:300])
    for seed in range(3):
        new = data[300:302].assign(answer="maybe", a=seed)
        candidate = retrain(spec, pd.concat([data[:300], new]), current)
        assert candidate.classes == ["maybe", "no", "yes"]
    assert compare(current, candidate).gained_classes == ["maybe"]
    assert decide(candidate, current).reason == "It has lost classes: maybe."


def test_schema_data_and_fast_form_are_compared() -> None:
    spec, data = SPECS["classifier"]
    current = train(spec, data)
    features = [Feature("a", low=-50), Feature("b", unit="m"), Feature("c", label="Another label")]
    other = train(replace(spec, features=[*features, Feature("e")]), data.rename(columns={"d": "e"})[:900])
    comparison = compare(current, other)
    assert comparison.schema == [
        "a: low: None before, -50.0 now", "b: unit: '' before, 'm' now", "d: removed", "e: added",
    ]  # fmt: skip
    assert comparison.rows == 0
    assert "they have different inputs" in comparison.text
    assert "1,200 rows before, 900 now" in str(comparison)
    assert decide(current, other).reason.startswith("Its inputs or its target are not the same (a: low: None before")
    # limits alone: rows that are valid for both
    narrow = train(replace(spec, features=[Feature("a", low=0), *spec.features[1:]]), data[data.a >= 0])
    narrowed = compare(current, narrow)
    assert narrowed.rows > 20
    assert narrowed.changes.a.min() >= 0
    # another kind of estimator: no fast form
    slow = train(replace(spec, estimator=Opaque()), data)
    assert decide(current, slow, margin=1).reason.startswith(f"It has no fast form, and {current.version} has one: ")


class Opaque(LogisticRegression):
    """An estimator that no fast form knows."""


def test_the_largest_changes_come_first_and_everything_can_be_printed() -> None:
    for kind, estimator in (("classifier", LogisticRegression()), ("regressor", LinearRegression())):
        spec, data = SPECS[kind]
        spec = replace(spec, features=[Feature("before", column="a"), *spec.features[1:]])
        data = data.assign(d=lambda table: table.d.where(table.d > 0, -table.d))
        comparison = compare(train(spec, data), train(replace(spec, estimator=estimator), data))
        changes = comparison.changes
        assert 5 < len(changes) <= comparison.rows
        assert changes.change.abs().is_monotonic_decreasing
        assert list(changes.columns) == [*"abcd", "true value", "before", "after", "change"]
        record = json.loads(json.dumps(comparison.to_dict()))
        assert record["changed"] == len(changes)
        assert record["changes"][0]["change"] == pytest.approx(changes.change[0])
        for text in (str(comparison), comparison._repr_html_()):
            assert comparison.text in text
            assert f"and {len(changes) - 10:,} more" in text
            assert f"{comparison.frame.after.iloc[0]:.4g}" in text
        if comparison.right:
            before, after, p = comparison.right
            assert (comparison.changes.before == comparison.changes["true value"]).sum() == before
            assert p == mcnemar(before, after)
    assert irislib.compare is compare
    same = compare(train(spec, data), train(spec, data))
    assert same.text == f"On {same.rows} rows that neither was trained on, all answers are the same."
    assert "Answers that change, the largest changes first:\n  none" in str(same)


def test_classifiers_and_regressors_are_not_compared() -> None:
    models = [train(spec, data) for spec, data in SPECS.values()]
    assert "one predicts classes, the other numbers" in compare(*models).text
    with pytest.raises(NotApplicableError, match="Load the model first"):
        compare(models[0], "b")


def test_intervals_are_those_of_resampled_rows() -> None:
    rng = np.random.default_rng(0)
    true = rng.choice(list("aabc"), 200)
    old, new = (np.where(rng.random(200) < share, true, rng.choice(list("abc"), 200)) for share in (0.6, 0.7))
    ours = accuracies(true, old, new, seed=0)

    def balanced(true, predicted) -> float:
        return np.mean([(predicted[true == label] == label).mean() for label in np.unique(true)])

    def error_of(true, predicted) -> float:
        return np.abs(true - predicted).mean()

    def ends(measure, *rows) -> np.ndarray:
        drawn = [[part[chosen] for part in rows] for chosen in rng.integers(0, 200, (1000, 200))]
        return np.quantile([measure(t, n) - measure(t, o) for t, o, n in drawn], [0.025, 0.975])

    expected = {"accuracy": lambda true, predicted: (true == predicted).mean(), "balanced_accuracy": balanced}
    for name, measure in expected.items():
        difference = ours[name]
        assert (difference.before, difference.after) == pytest.approx((measure(true, old), measure(true, new)))
        assert (difference.low, difference.high) == pytest.approx(ends(measure, true, old, new), abs=0.02)
    assert accuracies(true, old, new, seed=0) == ours
    numbers = rng.normal(size=(3, 200))
    error = errors(*numbers, seed=0)
    assert (error.low, error.high) == pytest.approx(ends(error_of, *numbers), abs=0.03)
    assert error.difference == pytest.approx(error_of(numbers[0], numbers[2]) - error_of(numbers[0], numbers[1]))
    # R's binom.test(3, 15)
    assert mcnemar(3, 12) == pytest.approx(0.03515625)
    assert mcnemar(0, 0) == 1


def test_diff_takes_files_and_versions_of_the_store(tmp_path, monkeypatch, capsys) -> None:
    from irislib._modeling import store
    from irislib.cli import diff

    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    spec = ModelSpec("switch", [Feature(name) for name in "abcd"], "answer", no_data, LogisticRegression())
    monkeypatch.setattr("irislib._modeling.registry.load_specs", lambda _: {"switch": spec})
    models = [train(spec, CLASSES[:rows]) for rows in (300, 600)]
    entries = [store.publish(model, tmp_path) for model in models]
    expected = str(compare(*models))
    for pair in (["1", "2"], ["#1"], [entries[0].version[:6], entries[1].version]):
        assert diff(pair) == 0
        assert capsys.readouterr().out == f"{expected}\n"
    files = [str(model.save(tmp_path / f"{i}.irislib")) for i, model in enumerate(models)]
    assert diff([files[0], "2", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(json.dumps(compare(*models).to_dict()))
    assert diff(files) == 0
    assert capsys.readouterr().out == f"{expected}\n"
