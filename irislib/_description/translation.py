"""The author's own texts of a description in another language than they were written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from irislib._common.language import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["describe_translation_faults", "superfluous_texts", "translated", "untranslated_texts"]

SPEC_TEXTS = ("title", "target_label", "action", "purpose", "limits", "source", "license", "contact")
FEATURE_TEXTS = ("label", "help", "group")


def author_texts(spec: ModelSpec) -> list[str]:
    """Return the texts of a description that people read, without those that are values."""
    return list(dict.fromkeys(filter(None, _iter_texts(spec))))


def _iter_texts(spec: ModelSpec) -> Iterator[str]:
    yield from (getattr(spec, name) for name in SPEC_TEXTS)
    for feature in spec.features:
        yield from (getattr(feature, name) for name in FEATURE_TEXTS)
    yield from spec.examples
    yield from spec.tabs


def describe_translation_faults(spec: ModelSpec) -> list[str]:
    """Return what is wrong with the translations of a description, one sentence each."""
    faults = []
    for language, texts in spec.translations.items():
        if language not in LANGUAGES or language == ENGLISH:
            others = ", ".join(name for name in LANGUAGES if name != ENGLISH)
            faults.append(f"translations: there is no language {language!r}; there are {others}.")
        elif not isinstance(texts, Mapping):
            faults.append(f"translations: give a dict of texts for {language!r}, got a {type(texts).__name__}.")
        else:
            faults += [
                f"translations: that of {text!r} must be text, got {other!r}."
                for text, other in texts.items()
                if not isinstance(other, str) or not other.strip()
            ]
    return faults


def untranslated_texts(spec: ModelSpec, language: str) -> list[str]:
    """Return the texts of a description that have no translation."""
    return [text for text in author_texts(spec) if text not in spec.translations[language]]


def superfluous_texts(spec: ModelSpec, language: str) -> list[str]:
    """Return the translated texts that the description does not have, such as those that were changed since."""
    known = author_texts(spec)
    return [text for text in spec.translations[language] if text not in known]


@cache
def translated(spec: ModelSpec, language: str) -> ModelSpec:
    """Return a description with its author's texts in a language; those without a translation stay.

    It describes the same model: names, values and classes are no texts.
    """
    texts: Mapping[str, str] = spec.translations.get(language, {})
    if not texts:
        return spec

    def changes(subject: Any, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: texts[old] for name in names if (old := getattr(subject, name)) in texts}

    result = replace(
        spec,
        **changes(spec, SPEC_TEXTS),
        features=[feature.relabelled(**changes(feature, FEATURE_TEXTS)) for feature in spec.features],
        examples={texts.get(name, name): row for name, row in spec.examples.items()},
        tabs={texts.get(title, title): functions for title, functions in spec.tabs.items()},
        translations={},
    )
    object.__setattr__(result, "_defined_at", vars(spec)["_defined_at"])
    return result
