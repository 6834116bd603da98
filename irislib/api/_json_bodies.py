"""JSON in the bodies of requests: in any encoding of Unicode, with names that are repeated noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest

from irislib._description.validation import names_of
from irislib.errors import Problem

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = [
    "MAX_NAMES",
    "RepeatedNames",
    "decode_json",
    "object_of_pairs",
    "parse_json",
    "repeated_problems",
    "with_few_unknown_names",
]

MAX_NAMES = 100  # that are unknown, or repeated, and named in a problem; more would make it longer than the request


class RepeatedNames(dict[str, Any]):
    """A JSON object in which some names occur more than once.

    Attributes
    ----------
    repeated : dict of str to list
        All values of these names.
    """

    def __init__(self, pairs: Sequence[tuple[str, Any]]):
        super().__init__(pairs)
        values: dict[str, list[Any]] = {name: [] for name in self}
        for name, value in pairs:
            values[name].append(value)
        self.repeated = {name: repeats for name, repeats in values.items() if len(repeats) > 1}


def object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of names and values, or :class:`RepeatedNames`."""
    values = dict(pairs)
    return values if len(values) == len(pairs) else RepeatedNames(pairs)


def repeated_problems(row: RepeatedNames) -> list[Problem]:
    """Return a problem for each repeated name, but for a few of many."""
    repeated = islice(row.repeated.items(), MAX_NAMES)
    return [Problem(f"{name} was given more than once.", name, values) for name, values in repeated]


def with_few_unknown_names(features: Sequence[Feature], row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with only the first of its names that no feature has, if there are many."""
    if len(row) <= len(features) + MAX_NAMES:
        return row
    known = names_of(features, row)
    unknown = [name for name in row if name not in known]
    dropped = frozenset(unknown[MAX_NAMES:])
    return {name: value for name, value in row.items() if name not in dropped}


# One decoder for all: json.loads with a hook would make another for each text.
parse_json = json.JSONDecoder(object_pairs_hook=object_of_pairs).decode


def decode_json(body: bytes) -> Any:
    """Decode JSON; objects that repeat a name become :class:`RepeatedNames`.

    Raises
    ------
    BadRequest
        If the body is not JSON that Python can read.
    """
    try:
        encoding = json.detect_encoding(body)
        return parse_json(body.decode(encoding).lstrip("\ufeff"))
    except UnicodeDecodeError:
        name = encoding.removesuffix("-sig").upper()
        raise BadRequest(f"The body is not JSON: it is not {name} text.") from None
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
