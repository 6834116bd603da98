"""The environment of irislib's own templates of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["package_templates"]


def package_templates(**options: Any) -> Environment:
    """Return an environment of the templates in the package, which escape what is filled in.

    Parameters
    ----------
    options : object
        Of :class:`jinja2.Environment`, in place of these.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    common: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    return Environment(loader=PackageLoader("irislib", ""), undefined=StrictUndefined, **common | options)  # noqa: S701
