"""The models that are measured: their data, rows and estimators, and the specs of irislib made of them.

The other tools train the same estimator on the same data, in an environment without irislib.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

if TYPE_CHECKING:
    from irislib import ModelSpec

__all__ = ["CASES", "CHOICES", "Case", "classes", "live_iris", "long", "mixed", "thirty"]

CHOICES = ["low", "middle", "high"]


@dataclass(frozen=True)
class Case:
    """A forest of 100 trees, and its form.

    ``clicked`` has the first values of two rows with different answers; any other field keeps its default.
    """

    title: str
    numbers: tuple[str, ...]
    defaults: tuple[float, ...]
    choices: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("ill", "well")
    clicked: tuple[tuple[float, ...], ...] = ((-2.0,), (2.0,))
    answers: tuple[str, ...] = ("ill", "well")  # to those two

    def load_data(self) -> pd.DataFrame:
        """Return invented rows in which the first number decides between the classes."""
        rng = np.random.default_rng(0)
        data = pd.DataFrame(rng.normal(size=(1000, len(self.numbers))).round(2), columns=list(self.numbers))
        data = data.assign(**{name: rng.choice(CHOICES, len(data)) for name in self.choices})
        ranks = data[self.numbers[0]].rank(pct=True, method="first")
        places = np.ceil(ranks * len(self.classes)).astype(int) - 1
        return data.assign(kind=np.array(self.classes)[places])

    def estimator(self) -> Any:
        """Return the estimator, not fitted."""
        # all features are looked at: with ten of three hundred the first one would seldom be among them
        forest = RandomForestClassifier(100, random_state=0, max_features=None, max_depth=8)
        if not self.choices:
            return forest
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return make_pipeline(make_column_transformer((encoder, list(self.choices)), remainder="passthrough"), forest)

    def spec(self, name: str, live: bool = False) -> ModelSpec:
        """Return the description of the model for irislib."""
        from irislib import Feature, ModelSpec

        features = [Feature(name, default=value) for name, value in zip(self.numbers, self.defaults, strict=True)]
        features += [Feature(name, "choice", choices=CHOICES, default=CHOICES[0]) for name in self.choices]
        return ModelSpec(name, features, "kind", self.load_data, self.estimator(), action="Abrakadabra", live=live)

    def row(self, rng: random.Random) -> dict[str, Any]:
        """Return any row."""
        return {name: round(max(0.1, rng.gauss(value, 1)), 2) for name, value in self.fields()} | {
            name: rng.choice(CHOICES) for name in self.choices
        }

    def clicked_rows(self) -> list[tuple[dict[str, float], str]]:
        """Return two rows in turn, with their predictions."""
        return [
            (dict(zip(self.numbers, values, strict=False)), answer)
            for values, answer in zip(self.clicked, self.answers, strict=True)
        ]

    def fields(self) -> list[tuple[str, float]]:
        """Return the numbers with their defaults."""
        return list(zip(self.numbers, self.defaults, strict=True))


class Iris(Case):
    """The Iris Wizard's data and forest."""

    def load_data(self) -> pd.DataFrame:
        """Return the flowers."""
        from sklearn.datasets import load_iris

        flowers = load_iris(as_frame=True)
        data = flowers.data.rename(columns=lambda name: name.replace(" (cm)", "_cm").replace(" ", "_"))
        return data[list(self.numbers)].assign(kind=flowers.target_names[flowers.target])

    def estimator(self) -> Any:
        """Return the forest."""
        return RandomForestClassifier(100, random_state=0)

    def spec(self, name: str, live: bool = False) -> ModelSpec:
        """Return the Iris Wizard, with another name."""
        import dataclasses

        from irislib import iris

        return dataclasses.replace(iris.spec, name=name, live=live)


def invented(title: str, count: int, **options: Any) -> Case:
    """Return a case with so many numbers."""
    return Case(title, tuple(f"gene_{i}" for i in range(count)), (0.0,) * count, **options)


CASES = {
    "iris-wizard": Iris(
        "iris",
        ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"),
        (4.3, 1.3, 5.8, 3.0),
        clicked=((4.7, 1.4, 7.0, 3.2), (6.0, 2.5, 6.3, 3.3)),
        answers=("versicolor", "virginica"),
    ),
    "thirty": invented("30 features", 30),
    "long": invented("300 features", 300),
    "classes": invented("10 classes", 6, classes=tuple(f"kind {i}" for i in range(10)), answers=("kind 0", "kind 9")),
    "mixed": invented("mixed columns", 4, choices=("soil", "light", "water", "season")),
}


def live_iris() -> ModelSpec:
    """Return the Iris Wizard without a button."""
    return CASES["iris-wizard"].spec("live-iris", live=True)


def thirty() -> ModelSpec:
    """Return the model of 30 features."""
    return CASES["thirty"].spec("thirty")


def long() -> ModelSpec:
    """Return the model of 300 features."""
    return CASES["long"].spec("long")


def classes() -> ModelSpec:
    """Return the model of ten classes."""
    return CASES["classes"].spec("classes")


def mixed() -> ModelSpec:
    """Return the model of numbers and choices."""
    return CASES["mixed"].spec("mixed")
