"""Choices, and yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from irislib._common.formatting import closest_texts, shorten_list
from irislib._common.messages.validation import TEXTS
from irislib._description.dtype_limits import holds
from irislib._description.feature_types.base import FeatureType, wrong
from irislib._description.values import equals_number, is_empty, normalized, to_json, to_python

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["BooleanType", "ChoiceType"]


class ChoiceType(FeatureType):
    """One value of a list."""

    name = "choice"
    controls = ("select", "radio")

    def expected(self, feature: Feature) -> str:
        return TEXTS["choice"].format(choices=shorten_list([repr(choice) for choice in feature.choices]))

    def is_empty(self, feature: Feature, value: Any) -> bool:
        return super().is_empty(feature, value) and (is_empty(value) or self._find(feature, value) is None)

    def parse(self, feature: Feature, value: Any) -> Any:
        value = to_python(value)
        choice = self._find(feature, value)
        if choice is not None:
            return choice
        raise wrong(feature.expected, value, lambda: self._hint(feature, str(value)))

    def _hint(self, feature: Feature, text: str) -> str:
        near = closest_texts(text, [str(choice) for choice in feature.choices])
        return TEXTS["choice.near"].format(choice=near[0]) if near else ""

    def _find(self, feature: Feature, value: Any) -> Any:
        """Return the choice that a value is, or None."""
        texts = {normalized(str(value)), normalized(str(value).strip())}
        for choice in feature.choices:
            text = str(choice)
            if (text if text.isascii() else normalized(text)) in texts or equals_number(value, choice):
                return choice
        return None

    def faults(self, feature: Feature) -> list[str]:
        if not feature.choices:
            return [f"{feature.name}: a choice needs choices=[…]."]
        if feature.dtype and (strange := [choice for choice in feature.choices if not holds(feature.dtype, choice)]):
            texts = shorten_list([repr(choice) for choice in strange])
            return [f"{feature.name}: a column of {feature.dtype} cannot hold the choices {texts}."]
        return []

    def categories(self, feature: Feature) -> Sequence[Any]:
        return feature.choices

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        # an empty choice can be in the list, but not be chosen
        values = [to_json(choice) for choice in feature.choices if not is_empty(choice)]
        names = {bool: "boolean", int: "integer", float: "number"}
        types = list(dict.fromkeys(names.get(type(value), "string") for value in values))
        return {"type": types[0] if len(types) == 1 else types, "enum": values}


class BooleanType(FeatureType):
    """True or false, also as yes and no, on and off, 1 and 0."""

    name = "boolean"
    dtype = "bool"
    controls = ("checkbox", "select")
    texts: ClassVar = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }

    def default_control(self, feature: Feature) -> str:
        return "checkbox" if feature.required else "select"  # a checkbox is never empty

    def parse(self, feature: Feature, value: Any) -> bool:
        value = to_python(value)
        if isinstance(value, bool):
            return value
        for number in (0, 1):
            if equals_number(value, number):
                return bool(number)
        text = value.strip().lower() if isinstance(value, str) else ""
        if text not in self.texts:
            raise wrong(self.noun, value)
        return self.texts[text]

    def to_text(self, value: Any) -> str:
        return str(bool(value)).lower()

    def format(self, value: Any, digits: int = 12) -> str:
        return TEXTS["yes" if value else "no"]

    def categories(self, feature: Feature) -> Sequence[Any]:
        return (False, True)

    def indicators(self, feature: Feature) -> Sequence[Any]:
        return (True,)

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "boolean"}

    def field(self, feature: Feature) -> dict[str, Any]:
        return {"choices": [("true", TEXTS["yes"]), ("false", TEXTS["no"])]}
