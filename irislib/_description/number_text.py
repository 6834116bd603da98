"""Numbers as people write them: other minus signs and digits, thousands separators, units, decimal commas."""

from __future__ import annotations

import re
import unicodedata

from irislib._common.messages.validation import TEXTS

__all__ = ["hint_for_number", "readings", "simplify_number"]

_MINUS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"  # hyphens, dashes and the minus signs of several scripts
_SIGNS = str.maketrans({**dict.fromkeys(_MINUS, "-"), "\uff0b": "+", "\u066b": "."})  # the last: the Arabic point
# A space of any width, an apostrophe or the Arabic thousands separator, the same one between all groups.
_SEPARATOR = r"[ \xa0\u2007-\u200a\u202f'\u2019\u02bc\u066c]"
_GROUPS = re.compile(rf"(?<![\d.,])(?!0)\d{{1,3}}(?P<sign>{_SEPARATOR})\d{{3}}(?:(?P=sign)\d{{3}})*(?!\d|{_SEPARATOR})")
_CURRENCIES = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "CHF": "Fr."}
_PATTERNS = {
    decimal: re.compile(
        rf"[+-]?(?=[{decimal}]?\d)(?:\d+|(?!0)\d{{1,3}}(?:[{group}]\d{{3}})+)?(?:[{decimal}]\d*)?(?:[eE][+-]?\d+)?"
    )
    for decimal, group in (",.", ".,")
}
LONGEST = 60  # characters: longer text is not a number, and takes no time


def simplify_number(text: str, *units: str) -> str:
    """Return the text of a number without its unit and its spaces, with plain signs; commas and points stay.

    The unit may be any of those passed. A space or an apostrophe never means anything but thousands.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return text
    text = text.translate(_SIGNS)
    for unit in dict.fromkeys(units):
        text = _without_unit(text, unit)
    return _GROUPS.sub(lambda match: re.sub(r"\D", "", match[0]), text)


def _without_unit(text: str, unit: str) -> str:
    units = {unit, _CURRENCIES.get(unit, ""), *(code for code, sign in _CURRENCIES.items() if sign == unit)}
    for own in sorted(units - {""}, key=len, reverse=True):
        if text.endswith(own) and text[: -len(own)].rstrip()[-1:].isdigit():
            return text[: -len(own)].rstrip()
        sign, number = re.fullmatch(r"([+-]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        if number.startswith(own) and (rest := number[len(own) :].lstrip())[:1] in "+-0123456789.,":
            return sign + rest
    return text


def readings(text: str) -> dict[str, str]:
    """Return the plain numbers that a simplified text can mean, by its decimal sign, a point or a comma.

    >>> readings("3,000")
    {',': '3.000', '.': '3000'}
    >>> readings("1.234,50")
    {',': '1234.50'}
    """
    plain = {}
    for decimal, group in (",.", ".,"):
        if _PATTERNS[decimal].fullmatch(text):
            plain[decimal] = text.replace(group, "").replace(decimal, ".")
    return plain


def hint_for_number(text: str, unit: str) -> str:
    """Return a sentence, after a space, about how to write what was meant by a text that is no number."""
    text = simplify_number(text, unit)
    if text.startswith("="):
        return TEXTS["number.formula"]
    meanings = readings(text)
    if len(meanings) == 2:
        return TEXTS["number.either"].format(grouped=meanings["."], decimal=meanings[","])
    if meanings:
        plain = next(iter(meanings.values()))
        is_decimal_comma = "." not in text and text.count(",") == 1
        return TEXTS["number.comma"] if is_decimal_comma else TEXTS["number.plain"].format(number=plain)
    number = re.fullmatch(r"(\D{0,5}?)([+-]?[\d.,]*\d)(\D{0,5})", text)
    if number is None or "_" in text or len(readings(number[2])) == 0:
        return ""
    signs = (number[1] + number[3]).strip()
    if signs in ("%", "\u066a", "\uff05"):
        return TEXTS["number.percent"]
    if signs and all(unicodedata.category(sign) == "Sc" or sign.isalpha() for sign in signs):
        return TEXTS["number.unit"].format(unit=f" in {unit}" if unit else "")
    return ""
