"""The headers that keep a browser from more than a page needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["SELF", "headers_for", "missing_headers"]

# Widgets' scripts are generated, and other libraries' widgets may load from anywhere: a stricter
# policy would break them.
POLICY = "frame-ancestors {ancestors}; object-src 'none'; base-uri 'self'; form-action 'self'"
SELF = "'self'"


def headers_for(ancestors: str = SELF) -> dict[str, str]:
    """Return the headers of a response.

    Parameters
    ----------
    ancestors : str
        The sites that may show it in a frame, as a policy has them.
    """
    return {
        "Content-Security-Policy": POLICY.format(ancestors=ancestors),
        "Referrer-Policy": "same-origin",  # the URL of a page can hold the values of its form
        "X-Content-Type-Options": "nosniff",
    }


def missing_headers(headers: Iterable[tuple[str, str]], safe: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return those of the safe headers that a response does not have, whatever the case of their names."""
    present = {name.lower() for name, _ in headers}
    return [(name, value) for name, value in safe.items() if name.lower() not in present]
