"""The form as a widget of its own, beside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets
from ipywidgets import CallbackDispatcher, Layout

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib._description.feature_types.text import max_file_bytes
from irislib._description.spec import describe_faults
from irislib._description.theme import Theme
from irislib.errors import SpecError, ValidationError
from irislib.widgets._error_boundary import guarded
from irislib.widgets._fields import describe_field, form_values, parse_entries, public_entries, read_submission
from irislib.widgets._frontend import STYLE, read_frontend
from irislib.widgets._problems import describe_problems

__all__ = ["Form"]

SCRIPTS = ("logic.js", "dom.js", "requests.js", "fields.js", "field_list.js", "form.js")
GENERAL = ""  # the key of a problem that belongs to no field


class Form(anywidget.AnyWidget):
    """A form as a widget, for use beside other widgets: a field for each feature, each checked.

    Parameters
    ----------
    features : sequence of Feature
        The fields, such as ``model.spec.features``.
    action : str, optional
        The text of its button; there is none if left out.
    examples : mapping of str to mapping, optional
        Named rows that fill the form at the press of a button.
    theme : Theme, optional
        Its colours and font.
    widget : Any
        Traits of every widget, such as ``layout``; `value` fills the form.

    Attributes
    ----------
    value : dict or None
        The row in the form: parsed values by the features' names, without empty and private ones. It changes with each
        field that is left, and is None while something is missing or wrong. A row that is assigned fills the form.
    problems : dict of str to str
        What is missing or wrong, by the features' names.

    Raises
    ------
    SpecError
        If the features do not make a form.
    ValidationError
        If a row that is assigned is not valid.

    Examples
    --------
    >>> form = Form(model.spec.features)
    >>> form.observe(lambda change: print(change.new and model.predict(change.new)), "value")
    >>> ipywidgets.HBox([form, ipywidgets.IntSlider()])
    """

    _esm = read_frontend(*SCRIPTS)
    _css = STYLE
    facts = traitlets.Dict().tag(sync=True)
    entries = traitlets.Dict().tag(sync=True)  # the texts as typed; a field that is filled in by half has none
    problems = traitlets.Dict().tag(sync=True)
    value: Any = traitlets.Dict(default_value=None, allow_none=True)  # a visitor's browser never writes it

    def __init__(
        self,
        features: Sequence[Feature],
        action: str = "",
        examples: Mapping[str, Mapping[str, Any]] | None = None,
        theme: Theme | None = None,
        **widget: Any,
    ):
        if faults := describe_faults(features):
            raise SpecError("The form", faults)
        self.features = {feature.name: feature for feature in features}
        self.public = [feature for feature in features if not feature.private]
        self.callbacks = CallbackDispatcher()
        self.is_read = False
        self.last_reply: dict[str, Any] = {}
        style = (theme or Theme()).style
        facts = {
            "fields": [describe_field(feature) for feature in features],
            "action": action,
            "examples": [[name, form_values(features, row)] for name, row in (examples or {}).items()],
            "file_bytes": max_file_bytes(),
            "style": style,
            "texts": dict(TEXTS),
        }
        widget.setdefault("layout", Layout(width="23rem", max_width="100%", flex="0 1 auto"))
        row = widget.pop("value", None)
        if row is not None:
            row = parse_entries(self.public, row)
        super().__init__(facts=facts, entries=public_entries(features, row), **widget)
        self.on_msg(lambda _, request, buffers: self.send(self.reply(request, buffers)))

    def reset(self) -> None:
        """Fill in the defaults again."""
        self.entries = public_entries(self.public)

    def on_submit(self, callback: Callable[[dict[str, Any]], Any], remove: bool = False) -> None:
        """Call a function with the row when the button is pressed and all is valid.

        Parameters
        ----------
        callback : callable
            Takes the row, as `value` has it, with private values and files besides. Its ValidationErrors are shown
            beside the fields; of any other error the form shows a sentence.
        remove : bool, optional
            Call it no more.
        """
        self.callbacks.register_callback(callback, remove=remove)

    def reply(self, request: Mapping[str, Any], buffers: Sequence[Any] = ()) -> dict[str, Any]:
        """Reply to the button; any failure becomes a sentence.

        Parameters
        ----------
        request : mapping
            The texts and the names of files, and an id, which comes back. A visitor can send anything.
        buffers : sequence of bytes
            Contents of the files.
        """
        reply: dict[str, Any] = {}
        with guarded(lambda text: reply.update(error=text), lambda: self._secrets(request)):
            if self.last_reply.get("id") == request["id"]:  # it is repeated after a lost connection
                return self.last_reply
            reply["id"] = request["id"]
            try:
                row = parse_entries(list(self.features.values()), read_submission(request, buffers))
                for callback in self.callbacks.callbacks:
                    callback(row)
            except ValidationError as error:
                reply |= describe_problems(self.features, error.problems)
        self.last_reply = reply
        return reply

    def _secrets(self, request: Any) -> list[str]:
        """Return the texts that a traceback must not quote."""
        values = request.get("values") if isinstance(request, dict) else None
        private = [name for name, feature in self.features.items() if feature.private]
        return [str(values.get(name, "")) for name in private] if isinstance(values, dict) else []

    @traitlets.observe("entries")
    def _read_entries(self, _: Any) -> None:
        with guarded(lambda text: self.set_trait("problems", {GENERAL: text})):
            row, self.problems = self._parse(self.entries)
            self.is_read = True  # and need not be filled in
            try:
                self.value = row
            finally:
                self.is_read = False

    def _parse(self, entries: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Return the row of entries, or None, and the problem of each field."""
        unfinished = [feature for feature in self.public if feature.name not in entries]
        problems = {feature.name: f"{feature.label} {TEXTS['unfinished']}" for feature in unfinished}
        try:
            row = parse_entries(self.public, {name: text for name, text in entries.items() if text != ""})
        except ValidationError as error:
            described = describe_problems(self.features, error.problems)
            general = {GENERAL: described["error"]} if "error" in described else {}
            return None, described["problems"] | general | problems
        return (None if problems else row), problems

    @traitlets.validate("value")
    def _check_value(self, proposal: Any) -> dict[str, Any] | None:
        return None if proposal.value is None else parse_entries(self.public, proposal.value)

    @traitlets.observe("value")
    def _fill(self, change: Any) -> None:
        if not self.is_read:
            self.entries = public_entries(self.public, change.new)
