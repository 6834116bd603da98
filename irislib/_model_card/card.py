"""The model card: purpose, data, evaluation and limits of a model.

After M. Mitchell et al. (2019), Model cards for model reporting, doi:10.1145/3287560.3287596. All of it is
made from the description of the model and from its training; a sentence takes the place of what is not written.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.language import current_language, using_language
from irislib._common.messages.model_card import TEXTS
from irislib._common.model_caches import cached_for_models
from irislib._common.templates import package_templates
from irislib._common.theme import css_properties
from irislib._description.translation import translated
from irislib._model_card.sections import lead, sections
from irislib._modeling.arguments import require_model

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["card", "card_html", "card_page"]


class Card(str):
    """A card in Markdown, which notebooks show as such."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


def card(model: Model) -> Card:
    """Return the card of a model in Markdown, as GitHub, notebooks and others show it.

    Parameters
    ----------
    model : Model
        From :func:`irislib.load` or :func:`irislib.train`.
    """
    require_model(model)
    return Card(_rendered(model, "_model_card/card.md.j2"))


def card_html(model: Model) -> str:
    """Return the card of a model as one HTML file, which needs nothing from anywhere else.

    Parameters
    ----------
    model : Model
        From :func:`irislib.load` or :func:`irislib.train`.
    """
    require_model(model)
    return _rendered(model, "_model_card/card.html.j2")


def card_page(model: Model, has_apps: bool, language: str) -> str:
    """Return the card of a model as the page of a server, with links to the others.

    Parameters
    ----------
    model : Model
    has_apps : bool
        The server has a page for each model, too.
    language : str
    """
    with using_language(language):
        return _rendered(model, "_model_card/card.html.j2", "apps" if has_apps else "endpoint")


def _rendered(model: Model, name: str, server: str = "") -> str:
    return _render(model, name, server, current_language())


@cached_for_models(16)
def _render(model: Model, name: str, server: str, language: str) -> str:
    """Render a card in a language, which is the current one."""
    from irislib import __version__

    is_html = name.endswith(".html.j2")
    environment = package_templates(
        autoescape=is_html,  # Markdown has an escape of its own below
        finalize=None if is_html else _escape_markdown,
        keep_trailing_newline=True,
    )
    spec = translated(model.spec, language)
    model = replace(model, spec=spec) if spec is not model.spec else model
    template = environment.get_template(name)
    return template.render(
        colours=css_properties(changes=spec.theme.palette),
        theme=spec.theme,
        server=server,
        name=spec.name,
        texts=TEXTS,
        lang=language,
        title=spec.title,
        lead=lead(model),
        sections=list(sections(model)),
        version=__version__,
    )


def _escape_markdown(text: Any) -> str:
    """Escape what Markdown and HTML would change in a text."""
    text = re.sub(r"([\\`*\[\]<>|~&#$])", r"\\\1", " ".join(str(text).split()))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # within a word it means nothing
    # at the start of a line: a list, a rule, an underlined heading
    return re.sub(r"^(\d*)([-+.)](?=\s|$)|[-=](?=[-=\s]*$))", r"\1\\\2", text)
