"""Contrast of colours, as the Web Content Accessibility Guidelines define it, and colours derived from others."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["contrast", "is_hex", "mix", "nearest_readable"]

BLACK, WHITE = "#000000", "#ffffff"
STEPS = 200  # of the search between a colour and black or white


def is_hex(colour: object) -> bool:
    """Return True if a value is a colour such as ``#772953``."""
    return isinstance(colour, str) and len(colour) == 7 and colour[0] == "#" and _is_hexadecimal(colour[1:])


def _is_hexadecimal(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    shares = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 for equal ones to 21 for black and white.

    Parameters
    ----------
    one, other : str
        Such as ``#772953``.
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """Return a colour between two.

    Parameters
    ----------
    one, other : str
    share : float
        Of the other, from 0 to 1.
    """
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def nearest_readable(colour: str, grounds: Sequence[str], ratio: float) -> str:
    """Return a colour itself, or the nearest lighter or darker one that has a contrast to all the grounds.

    Parameters
    ----------
    colour : str
    grounds : sequence of str
        The colours that it stands on, or that stand on it.
    ratio : float
        The least contrast.
    """
    for step in range(STEPS + 1):
        for end in (BLACK, WHITE):
            candidate = mix(colour, end, step / STEPS)
            if all(contrast(candidate, ground) >= ratio for ground in grounds):
                return candidate
    return max((BLACK, WHITE), key=lambda end: min(contrast(end, ground) for ground in grounds))
