"""An app, an endpoint and a library, made from one scikit-learn model: described for irislib, or fitted already.

>>> import irislib
>>> model = irislib.load("iris-wizard")
>>> model.predict({"petal_length_cm": 6.0, "petal_width_cm": 2.5,
...                "sepal_length_cm": 6.3, "sepal_width_cm": 3.3})
array(['virginica'], dtype=object)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irislib import insights
    from irislib._common.language import current_language
    from irislib._comparison.comparison import compare
    from irislib._description.feature import Feature
    from irislib._description.inference import infer_features
    from irislib._description.spec import ModelSpec
    from irislib._description.theme import Theme
    from irislib._distributed.score import score
    from irislib._model_card.card import card, card_html
    from irislib._modeling.model import Model
    from irislib._modeling.registry import load
    from irislib._modeling.training import train
    from irislib._prediction_log.drift import drift
    from irislib.widgets import app

__all__ = [
    "Feature",
    "Model",
    "ModelSpec",
    "Theme",
    "app",
    "card",
    "card_html",
    "compare",
    "current_language",
    "drift",
    "infer_features",
    "insights",
    "load",
    "score",
    "train",
]
__version__ = "1.0.0"

_HOME = {
    "Feature": "_description.feature",
    "Model": "_modeling.model",
    "ModelSpec": "_description.spec",
    "Theme": "_description.theme",
    "app": "widgets",
    "card": "_model_card",
    "card_html": "_model_card",
    "compare": "_comparison.comparison",
    "current_language": "_common.language",
    "drift": "_prediction_log.drift",
    "infer_features": "_description.inference",
    "insights": "insights",
    "load": "_modeling.registry",
    "score": "_distributed.score",
    "train": "_modeling.training",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used: `import irislib` costs nothing, and scikit-learn,
    # pandas, matplotlib and the servers are paid for by those who use them.
    if name not in _HOME:
        raise AttributeError(f"module 'irislib' has no attribute {name!r}")
    module = importlib.import_module(f"irislib.{_HOME[name]}")
    return module if name == _HOME[name] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
