"""Every text that people read, by where it is read, so that it can be translated.

Each module holds one table, ``TEXTS``, from a key to a template. Names in braces are filled in; keep them.
"""

from irislib._common.messages.page import TEXTS

__all__ = ["TEXTS"]
