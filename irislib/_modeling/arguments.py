"""Checks of arguments that are easily mistaken for each other: descriptions, estimators and models."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from irislib._common.messages.advice import TEXTS
from irislib._description.spec import ModelSpec
from irislib.errors import NotApplicableError

__all__ = ["require_estimator", "require_model", "require_spec", "takes_model"]

F = TypeVar("F", bound=Callable[..., Any])


def takes_model(function: F) -> F:
    """Refuse a first argument that is no model."""

    @functools.wraps(function)
    def checked(model: Any, *args: Any, **kwargs: Any) -> Any:
        require_model(model)
        return function(model, *args, **kwargs)

    return checked  # type: ignore[return-value]


def require_model(value: Any) -> None:
    """Raise NotApplicableError if a value is a description, an estimator or anything else that is no model."""
    if not hasattr(value, "spec"):
        raise NotApplicableError(TEXTS[f"model.{_kind(value)}"].format(type=type(value).__name__, value=value))


def require_spec(value: Any) -> None:
    """Raise NotApplicableError if a value is a model, an estimator or anything else that is no description."""
    if not isinstance(value, ModelSpec):
        raise NotApplicableError(TEXTS[f"spec.{_kind(value)}"].format(type=type(value).__name__, value=value))


def require_estimator(value: Any) -> None:
    """Raise NotApplicableError if a value is a description or a model."""
    if (kind := _kind(value)) in ("spec", "model"):
        raise NotApplicableError(TEXTS[f"estimator.{kind}"])


def _kind(value: Any) -> str:
    if isinstance(value, ModelSpec):
        return "spec"
    if isinstance(getattr(value, "spec", None), ModelSpec):
        return "model"
    if isinstance(value, str):
        return "name"
    return "estimator" if hasattr(value, "get_params") else "other"
