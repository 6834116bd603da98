"""The fields of a long form that matter most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irislib._description.feature import Feature
from irislib.insights._importance import strongest_features

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["order_fields"]

MANY_FIELDS = 20  # a form with more of them begins with those that matter most


def order_fields(features: Sequence[Feature], model: Model | None) -> tuple[list[Feature], int]:
    """Return the features in the order of the form, and how many of the first ones matter most.

    A short form, one in groups and one of a model whose importances are not known keep their order, and the number
    is 0.
    """
    if model is None or len(features) <= MANY_FIELDS or any(feature.group for feature in features):
        return list(features), 0
    by_name = {feature.name: feature for feature in features}
    main = [by_name[name] for name in dict.fromkeys(strongest_features(model))]
    names = {feature.name for feature in main}
    return [*main, *(feature for feature in features if feature.name not in names)], len(main)
