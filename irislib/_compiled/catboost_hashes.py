"""The hashes by which CatBoost knows categories and combinations of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from irislib._compiled.fast_form import HardRowError

__all__ = ["MULTIPLIER", "category_hash"]

MULTIPLIER = 0x4906BA494954CB65  # of the hashes of combinations
MAX_BYTES = 16  # of a text that is hashed here; CityHash64 has other rules for longer ones
FIRST, SECOND, PAIR = 0x9AE16A3B2F90404F, 0xC949D7C7509E6557, 0x9DDFEA08EB382D69  # the constants of CityHash64
BITS = 2**64 - 1
CACHED_VALUES = 10_000


@lru_cache(CACHED_VALUES, typed=True)
def category_hash(value: Any) -> int:
    """Return the hash of a category, 32 bits with a sign.

    Raises
    ------
    HardRowError
        If CatBoost has to say what it makes of the value.
    """
    if isinstance(value, int):
        value = str(int(value))
    elif not isinstance(value, str):
        raise HardRowError
    text = value.encode()
    bits = (_city_hash(text) if len(text) <= MAX_BYTES else _group_hash(value)) & 0xFFFFFFFF
    return bits - (bits >> 31 << 32)


def _city_hash(text: bytes) -> int:
    """Return the CityHash64 of a short text."""
    length = len(text)
    if length > 8:
        first, last = (int.from_bytes(part, "little") for part in (text[:8], text[-8:]))
        total = (last + length) & BITS
        return _pair(first, total >> length | total << (64 - length) & BITS) ^ last
    if length >= 4:
        return _pair(length + (int.from_bytes(text[:4], "little") << 3), int.from_bytes(text[-4:], "little"))
    if not length:
        return FIRST
    letters = text[0] + (text[length >> 1] << 8)
    return _folded(letters * FIRST ^ (length + (text[-1] << 2)) * SECOND) * FIRST & BITS


def _pair(one: int, other: int) -> int:
    """Return the hash of two numbers."""
    return _folded((other ^ _folded((one ^ other) * PAIR)) * PAIR) * PAIR & BITS


def _folded(number: int) -> int:
    number &= BITS
    return number ^ number >> 47


def _group_hash(text: str) -> int:
    """Return the hash of the name of a group, which is that of a category unless CatBoost reads a number."""
    from catboost import Pool

    if text.isdigit():
        raise HardRowError
    return int(Pool([[0]], group_id=[text]).get_group_id_hash()[0])
