"""Pages of the templates of ``irislib serve``, in the visitor's language."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from voila.utils import make_url

from irislib._common.language import REQUESTED, current_language, preferred
from irislib._common.messages import TEXTS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["TemplateMixin"]


class TemplateMixin:
    """Pages in the visitor's language, and of irislib's own template, whichever template the notebooks have."""

    def set_default_headers(self: Any) -> None:
        """Choose the language; an error's page has it, too."""
        super().set_default_headers()  # type: ignore[misc]
        REQUESTED.set(preferred(self.request.headers.get("Accept-Language", ""), self.settings["irislib_languages"]))
        self.set_header("Vary", "Accept-Language")

    def render_template(self: Any, name: str, **values: Any) -> str:
        environment: Environment = self.settings["irislib_pages"]
        static = partial(make_url, "irislib", self.base_url)
        self.set_header("Content-Language", current_language())
        if self.refused_status:  # the names of the apps are for those who may come in
            values["apps"] = []
        return environment.get_template(name).render(
            base_url=self.base_url, static=static, texts=TEXTS, look=self.settings["irislib_look"](), **values
        )
