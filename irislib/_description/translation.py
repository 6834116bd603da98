"""The author's own texts of a description in another language than they were written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import within_sentence
from irislib._common.language import ENGLISH, LANGUAGES, current_language
from irislib._common.messages import TEXTS
from irislib._common.model_caches import cached_for_models
from irislib._description.theme import Theme
from irislib.errors import SpecError

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._description.spec import ModelSpec

__all__ = [
    "action_text",
    "describe_translation_faults",
    "original",
    "superfluous_texts",
    "tab_title",
    "target_labels",
    "translated",
    "translated_features",
    "untranslated_texts",
]

SPEC_TEXTS = ("title", "target_label", "action", "purpose", "limits", "source", "license", "contact")
FEATURE_TEXTS = ("label", "help", "group")
KINDS_OF_TARGET = ("true", "predicted", "mean", "then")  # as insights name columns, before the target's name
TABS = ("why", "insights", "performance")  # that have a translation without the author's doing, as the action has


def author_texts(spec: ModelSpec) -> list[str]:
    """Return the texts of a description that people read, without units and values."""
    return list(dict.fromkeys(filter(None, _iter_texts(spec))))


def _units(spec: ModelSpec) -> list[str]:
    """Return the units, which have a translation only if they are words."""
    return [spec.target_unit, *(feature.unit for feature in spec.features)]


def _iter_texts(spec: ModelSpec) -> Iterator[str]:
    yield from (getattr(spec, name) for name in SPEC_TEXTS)
    for feature in spec.features:
        yield from (getattr(feature, name) for name in FEATURE_TEXTS)
    yield from spec.examples
    yield from spec.tabs
    yield spec.theme.footer


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
            if not faults:
                faults += _footer_faults(spec.theme, texts)
    return faults


def _footer_faults(theme: Theme, texts: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the translation of a footer, such as a link to nowhere."""
    try:
        _translated_theme(theme, texts)
    except SpecError as error:
        return [f"translations: {fault}" for fault in error.faults]
    return []


def _translated_theme(theme: Theme, texts: Mapping[str, str]) -> Theme:
    return replace(theme, footer=texts[theme.footer]) if theme.footer in texts else theme


def untranslated_texts(spec: ModelSpec, language: str) -> list[str]:
    """Return the texts of a description that have no translation."""
    known = {*spec.translations[language], *(TEXTS.english[key] for key in ("action", *TABS))}
    return [text for text in author_texts(spec) if text not in known]


def superfluous_texts(spec: ModelSpec, language: str) -> list[str]:
    """Return the translated texts that the description does not have, such as those that were changed since."""
    known = [*author_texts(spec), *_units(spec)]
    return [text for text in spec.translations[language] if text not in known]


def target_labels(spec: ModelSpec) -> dict[str, str]:
    """Return the target's label by the names that columns of predictions have, with its unit and without."""
    target, label, unit = str(spec.target), spec.target_label, f" ({spec.target_unit})"
    names = {target: label}
    if current_language() == ENGLISH:  # other languages have patterns for these
        names |= {f"{kind} {target}": f"{kind} {within_sentence(label)}" for kind in KINDS_OF_TARGET}
    return names | {name + unit: text + unit for name, text in names.items()}


def translated_features(features: Iterable[Feature], texts: Mapping[str, str]) -> list[Feature]:
    """Return features with other texts, by those that they have."""
    return [feature.relabelled(**_changes(feature, (*FEATURE_TEXTS, "unit"), texts)) for feature in features]


def _changes(subject: Any, names: Iterable[str], texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: texts[old] for name in names if (old := getattr(subject, name)) in texts}


@cached_for_models()
def translated(spec: ModelSpec, language: str) -> ModelSpec:
    """Return a description with its author's texts in a language; those without a translation stay.

    It describes the same model: names, values and classes are no texts. The tabs have their author's titles, see
    :func:`tab_title`.
    """
    texts: Mapping[str, str] = spec.translations.get(language, {})
    if not texts:
        return spec

    result = replace(
        spec,
        **_changes(spec, (*SPEC_TEXTS, "target_unit"), texts),
        theme=_translated_theme(spec.theme, texts),
        features=translated_features(spec.features, texts),
        examples={texts.get(name, name): row for name, row in spec.examples.items()},
        translations={},
    )
    tab_titles = {title: texts[title] for title in spec.tabs if title in texts}
    vars(result).update(_defined_at=vars(spec)["_defined_at"], _tab_titles=tab_titles, _original=spec)
    return result


def original(spec: ModelSpec) -> ModelSpec:
    """Return a description as its author wrote it, of which this one may be a translation."""
    return vars(spec).get("_original", spec)  # type: ignore[no-any-return]


def tab_title(spec: ModelSpec, title: str) -> str:
    """Return the title of a tab, by which its author calls it, in the language of a translated description."""
    titles = {TEXTS.english[key]: TEXTS[key] for key in TABS} | vars(spec).get("_tab_titles", {})
    return str(titles.get(title, title))


def action_text(spec: ModelSpec) -> str:
    """Return the text of the form's button; the standard one in the language of the page."""
    return TEXTS["action"] if spec.action == TEXTS.english["action"] else spec.action
