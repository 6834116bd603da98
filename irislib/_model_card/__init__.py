"""The model card, in Markdown and HTML."""

from irislib._model_card.card import card, card_html

__all__ = ["card", "card_html"]
