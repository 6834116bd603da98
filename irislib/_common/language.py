"""The language of what people read: English, or the one that a visitor's browser prefers.

Programs are always answered in English. A server chooses for each request (:data:`REQUESTED`); a page's process has
the language of its visitor for good, from its environment (:data:`VARIABLE`).
"""

from __future__ import annotations

import datetime as dt
import os
import string
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from irislib.errors import IrislibError

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "REQUESTED",
    "VARIABLE",
    "Texts",
    "column_label",
    "column_labels",
    "current_language",
    "decimal_sign",
    "iso_date",
    "localize",
    "localize_date",
    "parse_languages",
    "preferred",
    "settled_language",
    "using_language",
]

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")
VARIABLE = "IRISLIB_LANGUAGE"  # of a page's process; in a notebook of your own, set it before irislib draws anything
REQUESTED: ContextVar[str] = ContextVar("language", default="")
_NO_LABELS: Mapping[str, str] = {}
_labels: ContextVar[Mapping[str, str]] = ContextVar("labels", default=_NO_LABELS)  # of the author's own columns


def current_language() -> str:
    """Return the language in which people are addressed now: ``"en"``, or ``"de"``.

    For functions that a page calls, such as insights of your own, it is that of its visitor; for programs English.

    Examples
    --------
    >>> {"en": "Rents by district", "de": "Mieten nach Bezirk"}[irislib.current_language()]
    'Rents by district'
    """
    language = REQUESTED.get() or os.environ.get(VARIABLE, ENGLISH)
    return language if language in LANGUAGES else ENGLISH


@contextmanager
def using_language(language: str) -> Iterator[None]:
    """Address people in a language."""
    token = REQUESTED.set(language)
    try:
        yield
    finally:
        REQUESTED.reset(token)


def settled_language() -> AbstractContextManager[None]:
    """Keep the current language in mind: to ask the environment for each of many texts takes longer than the texts."""
    return using_language(current_language())


def preferred(accept_language: str, languages: tuple[str, ...] = LANGUAGES) -> str:
    """Return the one of some languages that a browser's ``Accept-Language`` prefers, or the first."""
    from werkzeug.datastructures import LanguageAccept
    from werkzeug.http import parse_accept_header

    accepted = parse_accept_header(accept_language, LanguageAccept)
    return accepted.best_match(languages, default=languages[0])


def parse_languages(text: str) -> tuple[str, ...]:
    """Return the languages that a setting names.

    Raises
    ------
    IrislibError
        If it names none, or one that there is not.
    """
    languages = tuple(filter(None, (name.strip() for name in text.split(","))))
    if not languages or not set(languages) <= set(LANGUAGES):
        raise IrislibError(f"--languages takes some of {', '.join(LANGUAGES)}, separated by commas, not {text!r}.")
    return languages


class Texts(Mapping[str, str]):
    """A table of texts by key, each in the current language.

    Parameters
    ----------
    area : str
        The name of its module, which the other languages have, too, if the area is translated.
    english : mapping of str to str
    """

    def __init__(self, area: str, english: Mapping[str, str]):
        self.area, self.english = area, english

    def __getitem__(self, key: str) -> str:
        return self._current().get(key) or self.english[key]  # a missing translation must not break a page

    def __iter__(self) -> Iterator[str]:
        return iter(self.english)

    def __len__(self) -> int:
        return len(self.english)

    def _current(self) -> Mapping[str, str]:
        language = current_language()
        return self.english if language == ENGLISH else translation(language, self.area) or self.english


@cache
def translation(language: str, area: str) -> dict[str, str]:
    """Return the table of an area in another language than English; an empty one if it is not translated."""
    name = f"irislib._common.messages.{language}.{area}"
    table = import_module(name).TEXTS if find_spec(name) else {}
    return {key: Template(text) for key, text in table.items()}


class Template(str):
    """A template of another language than English: it writes numbers as that does, and has forms for numbers.

    ``{count:Zeile|Zeilen}`` is the form that belongs to the number: its language's order of forms is Babel's.
    """

    __slots__ = ()

    def format(self, *args: Any, **values: Any) -> str:
        """Fill in the values."""
        return LocalFormatter().vformat(self, args, values)


class LocalFormatter(string.Formatter):
    """Formatter of numbers as the current language writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one value, or choose the form that belongs to it."""
        if "|" in format_spec:
            return plural_form(value, format_spec.split("|"))
        text = str(super().format_field(value, format_spec))
        return localize(text) if isinstance(value, float | int) and not isinstance(value, bool) else text


def plural_form(number: Any, forms: list[str]) -> str:
    """Return the form of a word that goes with a number, which may have been formatted."""
    if isinstance(number, str):
        decimal, group, _ = signs(current_language())
        number = float(number.replace(group, "").replace(decimal, ".") or 0)
    rule = locale(current_language()).plural_form
    tags = [tag for tag in ("zero", "one", "two", "few", "many") if tag in rule.tags]
    return forms[[*tags, "other"].index(rule(number))]


@cache
def locale(language: str) -> Any:
    """Return what Babel knows of a language; English pages never load it."""
    from babel import Locale

    return Locale(language)


@cache
def signs(language: str) -> tuple[str, str, str]:
    """Return a language's decimal sign, its sign between thousands, and what follows a number of percent."""
    known = locale(language)
    symbols = known.number_symbols["latn"]
    return symbols["decimal"], symbols["group"], known.percent_formats[None].pattern.lstrip("#,.0")


@contextmanager
def column_labels(labels: Mapping[str, str]) -> Iterator[None]:
    """Have :func:`column_label` return an author's labels of columns, by their names."""
    token = _labels.set(labels)
    try:
        yield
    finally:
        _labels.reset(token)


def column_label(name: str) -> str:
    """Return the name of a column, or of a measure, as a page has it; in English most are those for programs.

    A ``{measure}`` within a name is translated too, a ``{name}`` is a target or a class of the model and only has its
    author's label.
    """
    if (language := current_language()) == ENGLISH:
        return _labels.get().get(name, name)
    labels = translation(language, "columns")
    if label := _labels.get().get(name) or labels.get(name):
        return label
    for pattern, template in labels.items():
        key = "measure" if "{measure}" in pattern else "name"
        before, braces, after = pattern.partition(f"{{{key}}}")
        if braces and name.startswith(before) and name.endswith(after) and len(name) > len(before + after):
            part = name[len(before) : len(name) - len(after)]
            return template.format(**{key: column_label(part) if key == "measure" else _labels.get().get(part, part)})
    return name


def decimal_sign() -> str:
    """Return what stands before the decimals of a number in the current language."""
    return "." if (language := current_language()) == ENGLISH else signs(language)[0]


def iso_date(date: dt.date) -> str:
    """Write a day in ISO format; the C library's ``%Y`` does not fill up a year of three digits."""
    return dt.date(date.year, date.month, date.day).isoformat()


def localize_date(date: dt.date) -> str:
    """Write a date as the current language does; in English, in ISO format."""
    if (language := current_language()) == ENGLISH:
        return iso_date(date)
    from babel.dates import format_date

    return str(format_date(date, "medium", locale(language)))


def localize(text: str) -> str:
    """Write a number as the current language does that Python has written, such as ``1,234.5`` or ``99.7%``."""
    language = current_language()
    if language == ENGLISH:
        return text
    decimal, group, percent = signs(language)
    return text.replace("%", percent).translate(str.maketrans(",.", group + decimal))
