"""Links that fill in the form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature

__all__ = ["read_link"]


def read_link(features: Mapping[str, Feature], query: str) -> tuple[dict[str, str], list[str]]:
    """Return the valid values of a link, and a sentence about each of the others.

    Parameters
    ----------
    features : mapping of str to Feature
    query : str
        The part of the address from its question mark on.
    """
    values, ignored = {}, []
    for name, value in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
        feature = features.get(name)
        try:
            if feature is None:
                if not name.startswith("voila"):
                    ignored.append(TEXTS["no_such_field"].format(name=name))
            elif feature.private:
                ignored.append(TEXTS["never_by_link"].format(label=feature.label))
            else:
                values[name] = feature.to_text(feature.parse(value)) if value.strip() else ""
        except ValueError as error:
            ignored.append(f"{feature.label if feature else name} {error} {_default_sentence(feature)}".strip())
    return values, ignored


def _default_sentence(feature: Feature | None) -> str:
    """Return the value that a field keeps if a link cannot fill it."""
    value = feature.to_text(feature.default) if feature else ""
    return TEXTS["left_at"].format(value=value) if value else ""
