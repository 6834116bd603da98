"""Caches of what was computed from a model or its description, which end when it is replaced by another version."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["cached_for_models", "clear"]

Function = TypeVar("Function", bound=Callable[..., Any])
_clears: list[Callable[[], None]] = []


def cached_for_models(maxsize: int | None = None) -> Callable[[Function], Function]:
    """Decorate a function of a model or a description, as `functools.lru_cache` does."""

    def decorate(function: Function) -> Function:
        cached = functools.lru_cache(maxsize)(function)
        _clears.append(cached.cache_clear)
        return cached  # type: ignore[return-value]

    return decorate


def clear() -> None:
    """Forget all results, and the models and descriptions that are kept with them."""
    for clear_cache in _clears:
        clear_cache()
