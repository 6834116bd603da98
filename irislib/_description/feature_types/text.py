"""Text of several kinds, and files."""

from __future__ import annotations

import numbers
import os
import re
from typing import TYPE_CHECKING, Any, ClassVar

from irislib._common.messages.validation import TEXTS
from irislib._common.settings import SETTINGS
from irislib._description.feature_types.base import FeatureType, wrong
from irislib._description.values import UploadedFile, is_empty, normalized

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["FILE_LIMIT", "ColorType", "EmailType", "FileType", "PasswordType", "TextType", "max_file_bytes"]

FILE_LIMIT = "IRISLIB_FILE_LIMIT"  # in a kernel's environment: the limit of its server
_EMAIL = r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"
_COLOR = r"#[0-9a-fA-F]{6}"


def max_file_bytes() -> int:
    """Return the most bytes of all files of a form: they travel in one message, which servers limit."""
    return int(os.environ.get(FILE_LIMIT) or SETTINGS["max_upload_bytes"].default)


class TextType(FeatureType):
    """Any text."""

    name = "text"
    missing: ClassVar = frozenset({"NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "-"})
    controls: ClassVar[tuple[str, ...]] = ("text", "textarea", "suggestions")

    def is_empty(self, feature: Feature, value: Any) -> bool:
        if isinstance(value, str) and not feature.required:  # as pandas reads it: other words may be what is meant
            return is_empty(value) or value.strip() in self.missing - set(map(str, feature.choices))
        return is_empty(value)

    def parse(self, feature: Feature, value: Any) -> str:
        if isinstance(value, str | numbers.Real):
            return str(normalized(str(value)))
        raise wrong(self.noun, value)


class EmailType(TextType):
    """An e-mail address."""

    name = "email"
    controls = ("text",)

    def parse(self, feature: Feature, value: Any) -> str:
        address = super().parse(feature, value).strip()
        if not re.fullmatch(_EMAIL, address):
            raise wrong(TEXTS["email.example"], value)
        return address

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_EMAIL}$"}  # the format called email is narrower than the check

    def field(self, feature: Feature) -> dict[str, Any]:
        return super().field(feature) | {"type": "email", "placeholder": TEXTS["email.placeholder"]}


class ColorType(FeatureType):
    """A colour, as the browser writes it."""

    name = "color"
    controls = ("color",)
    format_hint = TEXTS["color.format"]

    def parse(self, feature: Feature, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(_COLOR, value.strip()):
            raise wrong(TEXTS["color.example"], value)
        return value.strip().lower()

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_COLOR}$"}


class PasswordType(TextType):
    """Text that is never stored, shown or passed on."""

    name = "password"
    missing = frozenset()
    controls = ("password",)
    in_models = False
    is_private = True

    def parse(self, feature: Feature, value: Any) -> str:
        if isinstance(value, str | numbers.Real):
            return str(value)  # to the letter
        raise ValueError(TEXTS["password.wrong"])

    def format(self, value: Any, digits: int = 12) -> str:
        return TEXTS["password.entered"]


class FileType(FeatureType):
    """A file; its content is never stored, shown or passed on."""

    name = "file"
    controls = ("file",)
    in_models = False
    is_private = True

    def parse(self, feature: Feature, value: Any) -> UploadedFile:
        if not isinstance(value, UploadedFile):
            raise ValueError(TEXTS["file.wrong"])
        return value

    def hint(self, feature: Feature) -> str:
        return TEXTS["file.limit"].format(size=f"{max_file_bytes() / 1e6:g}")

    def format(self, value: Any, digits: int = 12) -> str:
        return TEXTS["file.size"].format(size=f"{len(value.content):,}")
