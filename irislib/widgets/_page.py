"""The page: a form and tabs. Its script and style are in ``frontend/``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from irislib._common.language import column_labels
from irislib._common.messages import TEXTS
from irislib._common.theme import chart_colours
from irislib._common.tracing import span
from irislib._description.feature import Feature
from irislib._description.feature_types.text import max_file_bytes
from irislib._description.spec import describe_faults
from irislib._description.theme import Theme
from irislib._description.translation import target_labels
from irislib._description.validation import check_row
from irislib._prediction_log.pages import PageLog
from irislib.errors import SpecError, ValidationError
from irislib.widgets._blocks import Answer, Block, Buttons, DownloadButton, Failure
from irislib.widgets._cards import CardList
from irislib.widgets._comparison import Comparison
from irislib.widgets._csv_tab import MAX_FILE_BYTES, CsvTab, kinds_text
from irislib.widgets._downloads import Downloads
from irislib.widgets._error_boundary import guarded
from irislib.widgets._feedback import Feedback
from irislib.widgets._fields import describe_field, form_values, parse_entries, read_submission
from irislib.widgets._frontend import STYLE, read_frontend
from irislib.widgets._held_features import HeldFeatureState
from irislib.widgets._history import History
from irislib.widgets._html import render, render_pieces
from irislib.widgets._jobs import JobList
from irislib.widgets._links import read_link
from irislib.widgets._main_fields import order_fields
from irislib.widgets._problems import describe_problems
from irislib.widgets._report import page_report
from irislib.widgets._test_rows import TestRows
from irislib.widgets._typed_row import typed_row
from irislib.widgets._warm_up import warm_up

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["Page", "Tab"]

# In the order of their dependencies: together they are one module.
SCRIPTS = (
    "logic.js", "dom.js", "requests.js", "fields.js", "field_list.js", "csv_tab.js", "threshold.js", "cards.js",
    "live.js", "what_if.js", "feedback.js", "comparison.js", "page.js",
)  # fmt: skip
MAX_REPLIES = 8  # the latest replies, which may not have arrived


@dataclass(frozen=True)
class Tab:
    """One tab of a page: its title, and the function that returns what it shows.

    Attributes
    ----------
    title : str
        Also the end of the page's address that opens it (``#result``).
    draw : callable
        Takes the result of the page's ``on_submit`` (None before the first one) and returns a list of pieces, shown
        one below the other. It is called when the tab is first opened, and again after each new result.
    empty : str
        The text of the tab before the first result; if empty, the tab needs no result and
        is drawn only once.

    Notes
    -----
    A piece is a sentence (str), a table (DataFrame), a chart (matplotlib Figure, best made by
    ``matplotlib.figure.Figure``, for which nothing has to be closed), an :class:`~irislib.insights.Insight`, or an
    object with a method ``__html__`` that returns safe HTML. A sentence is text: what looks like HTML in it is shown as
    it is. :class:`Content` shows the same pieces without a page.

    Examples
    --------
    >>> Tab("Result", lambda total: [f"That will be {total:,.2f} EUR."], empty="Fill in the form and press Calculate.")
    """

    title: str
    draw: Callable[[Any], Sequence[Any]]
    empty: str = ""


class Page(anywidget.AnyWidget):
    """An app: a form, the function that is called with its values, and the tabs that show the result.

    It is a widget, and needs no model; :func:`irislib.app` makes one of a model. :class:`Form` is the form alone.

    Parameters
    ----------
    title : str
    features : sequence of Feature
        The fields of the form.
    action : str
        The text of its button.
    on_submit : callable
        Takes the parsed values, as a dict by the features' names without empty ones, and returns
        the result that the tabs draw. Its ValidationErrors are shown beside the fields.
        A file is an :class:`irislib._description.values.UploadedFile`.
    tabs : sequence of Tab
    examples : mapping of str to mapping, optional
        Named rows that fill the form at the press of a button.
    summary : callable, optional
        Takes the result of ``on_submit`` and returns a short text; with it the page keeps a
        history of the results.
    model : Model, optional
        Predicts whole tables; without it there is no tab for them.
    about : mapping of str to str, optional
        Facts below the page and its reports, such as the version of the model.
    card : str, optional
        The address of the model's card, relative to the page, if a server has one there.
    introduction : str, optional
        A sentence below the title.
    answer_label : str, optional
        What the summaries are about, such as the target of the model.
    live : bool, optional
        Show the first tab after each valid change of the form, too: `on_submit` is then called without the button.
    theme : Theme, optional
        Its colours, logo, font and footer.

    Raises
    ------
    SpecError
        If the features do not make a form.

    Examples
    --------
    >>> def save(values):
    ...     return values["amount"] * 1.02 ** values["years"]
    >>> features = [Feature("amount", low=0, unit="EUR"), Feature("years", kind="integer", low=1)]
    >>> tabs = [Tab("Result", lambda total: [f"That will be {total:,.2f} EUR."], empty="Press Calculate.")]
    >>> Page("Savings", features, "Calculate", save, tabs)
    """

    _esm = read_frontend(*SCRIPTS)
    _css = STYLE
    facts = traitlets.Dict().tag(sync=True)
    warm_up = warm_up

    def __init__(
        self,
        title: str,
        features: Sequence[Feature],
        action: str,
        on_submit: Callable[[dict[str, Any]], Any],
        tabs: Sequence[Tab],
        examples: Mapping[str, Mapping[str, Any]] | None = None,
        summary: Callable[[Any], str] | None = None,
        model: Model | None = None,
        about: Mapping[str, str] | None = None,
        card: str = "",
        introduction: str = "",
        answer_label: str = "",
        live: bool = False,
        theme: Theme | None = None,
    ):
        faults = describe_faults(features)
        if not isinstance(tabs, Sequence) or not all(isinstance(tab, Tab) for tab in tabs):
            faults.append("tabs: give a list of Tab(…).")
        if faults:
            raise SpecError(f"The page {title!r}", faults)
        self.features = {feature.name: feature for feature in features}
        self.on_submit = on_submit
        self.tabs = list(tabs)
        self.summary = summary
        self.answer_label = answer_label or TEXTS["answer"]
        self.about = {name: fact for name, fact in (about or {}).items() if fact}
        self.theme = theme or Theme()
        self.column_labels = target_labels(model.spec) if model else {}
        self.result: Any = None
        self.values: dict[str, str] = {}  # the inputs of `result`
        self.history = History(features, self.answer_label)
        self.test_rows = TestRows(model) if model and model.is_evaluated else None
        self.prediction_log = PageLog(model) if model else None
        self.feedback = Feedback(model) if model and model.spec.feedback else None
        self.comparison = Comparison(model) if model else None
        self.jobs = JobList()
        self.csv_tab = CsvTab(model, self.jobs) if model else None
        self.held_features = HeldFeatureState(self.features)
        self.contents: dict[int, list[Block]] = {}
        self.warm_contents: dict[int, list[Block]] = {}  # drawn before the visit
        self.latest_contents: dict[int, list[Block]] = {}  # also what will be drawn again
        self.cards = CardList(self._card_blocks)
        self.downloads = Downloads({"report": lambda: page_report(self), **self.cards.file_makers()})
        if self.csv_tab:
            self.downloads.makers |= {"template": self.csv_tab.template, "result": self.csv_tab.result_file}
        self.replies: deque[tuple[dict[str, Any], list[bytes]]] = deque(maxlen=MAX_REPLIES)
        ordered, main = order_fields(features, model)
        facts = {
            "title": title,
            "introduction": introduction,
            "action": action,
            "live": live,
            "fields": [describe_field(feature) for feature in ordered],
            "main_fields": main,
            "examples": [
                [name, form_values(features, typed_row(model, row))] for name, row in (examples or {}).items()
            ],
            "has_test_rows": self.test_rows is not None,
            "tabs": self._describe_tabs(model),
            "about": list(self.about.items()),
            "card": card,
            "docs": f"docs#{model.spec.name}" if model else "",
            "model": [model.spec.name, model.version, model.trained_at] if model else [],
            "feedback": self.feedback.describe() if self.feedback else None,
            "style": self.theme.style,
            "logo": self.theme.logo,
            "footer": self.theme.footer_paragraphs,
            "file_bytes": max_file_bytes(),
            "texts": dict(TEXTS),
        }
        super().__init__(facts=facts)
        self.on_msg(lambda _, request, buffers: self.answer(*self.reply(request, buffers)))

    def answer(self, reply: dict[str, Any], parts: list[bytes]) -> None:
        """Send a reply; where the kernel can, ahead of all else, and to the page alone that waits for it."""
        kernel: Any = getattr(self.comm, "kernel", None)
        if hasattr(kernel, "answer"):
            kernel.answer(self.model_id, reply, parts)
        else:
            self.send(reply, parts)

    def _describe_tabs(self, model: Model | None) -> list[dict[str, Any]]:
        tabs: list[dict[str, Any]] = [
            {"title": tab.title, "empty": tab.empty, "needs_result": bool(tab.empty)} for tab in self.tabs
        ]
        if model:
            limits = {"bytes": MAX_FILE_BYTES, "rows": model.spec.max_rows, "kinds": kinds_text()}
            tabs.append({"title": TEXTS["table"], "empty": "", "csv": limits})
        return tabs

    def reply(self, request: Mapping[str, Any], buffers: Sequence[Any] = ()) -> tuple[dict[str, Any], list[bytes]]:
        """Reply to a request of the page's script; any failure becomes a sentence.

        Parameters
        ----------
        request : mapping
            ``method`` names the handler, ``id`` comes back with the reply. A visitor can send anything.
        buffers : sequence of bytes
            Contents of files.
        """
        reply: dict[str, Any] = {}
        failures = guarded(lambda text: reply.update(error=text), lambda: self._secrets(request))
        with chart_colours(self.theme.accent), column_labels(self.column_labels), failures:
            reply["id"] = request["id"]
            for earlier in self.replies:  # the script repeats a request after it has lost its connection
                if earlier[0]["id"] == reply["id"]:
                    return earlier
            reply.update(self._handler(request["method"])(request, buffers))
        parts = [reply.pop("part")] if "part" in reply else []
        if "id" in reply:
            self.replies.append((reply, parts))
        return reply, parts

    def _secrets(self, request: Any) -> list[str]:
        """Return the texts that a traceback must not quote."""
        if not isinstance(request, dict) or not isinstance(request.get("values"), dict):
            return []
        private = [name for name, feature in self.features.items() if feature.private]
        return [str(request["values"].get(name, "")) for name in private] + [
            str(part) for file in request.get("files", ()) for part in file[1:]
        ]

    def _handler(self, method: str) -> Callable[[Mapping[str, Any], Sequence[Any]], dict[str, Any]]:
        handlers: dict[str, Any] = {
            "connect": self._handle_connect,
            "validate": self._handle_validate,
            "preview": self._handle_preview,
            "submit": self._handle_submit,
            "draw": self._handle_draw,
            "download": self.downloads.handle_part,
            "step_job": self.jobs.handle_step,
            "hold": self.held_features.handle_hold,
            "numbers": self.cards.handle_numbers,
            "points": self.cards.handle_points,
            "columns": self.cards.handle_columns,
            "what_if": self._handle_what_if,
        }
        if self.test_rows:
            handlers["test_row"] = self.test_rows.handle_random
        if self.csv_tab and self.comparison:
            handlers |= {
                "keep_answer": self.comparison.handle_keep,
                "end_comparison": self.comparison.handle_end,
                "compare_contributions": self.comparison.handle_contributions,
                **self.csv_tab.handlers(),
            }
        if self.feedback:
            handlers["feedback"] = self.feedback.handle_feedback
        return handlers[method]  # type: ignore[no-any-return]

    def _handle_connect(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the valid values of a link, the problems of the others, and the tabs drawn for another view."""
        values, ignored = read_link(self.features, str(request.get("query", "")))
        tabs = [(index, self._render_tab(index)) for index in sorted(self.contents)]
        compared = self.comparison.to_html() if self.comparison else ""
        return {"values": values, "ignored": ignored, "tabs": tabs, "compared": compared}

    def _handle_validate(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the problem of one value while the others are still being filled in."""
        feature = self.features[request["name"]]
        try:
            feature.parse(request["value"])
        except ValueError as error:
            return {"message": f"{feature.label} {error}"}
        return {}

    def _handle_submit(self, request: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        values = read_submission(request, buffers)
        try:
            self.result = self._compute(values)
        except ValidationError as error:
            return describe_problems(self.features, error.problems)
        if self.prediction_log:
            self.prediction_log.add(self.result)
        self.values = {name: values[name] for name, f in self.features.items() if name in values and not f.private}
        for index, tab in enumerate(self.tabs):
            if tab.empty:
                self.contents.pop(index, None)
        summary = self.summary(self.result) if self.summary else ""
        if summary:
            self.history.add(summary, self.values)
        compared = self._comparison_html(values, self.result)
        return {"html": self._render_tab(0), "announcement": self._announcement(summary), "compared": compared}

    def _handle_preview(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the first tab for the form as it is, which changes neither the history nor the other tabs."""
        values = {name: value for name, value in request["values"].items() if value != ""}
        try:
            result = self._compute(values)
        except ValidationError as error:
            problems = describe_problems(self.features, error.problems)
            return {"reason": " ".join([*problems["problems"].values(), problems.get("error", "")]).strip()}
        summary = self.summary(result) if self.summary else ""
        html = render_pieces(self.tabs[0].draw(result))
        reply = {"html": html, "summary": summary, "announcement": self._announcement(summary)}
        return reply | {"compared": self._comparison_html(values, result)}

    def _handle_what_if(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the answer to the latest row with some other values."""
        features = [self.features[name] for name in request["values"]]
        row, problems = check_row(features, request["values"])
        if problems:
            return {"error": " ".join(describe_problems(self.features, problems)["problems"].values())}
        values = {**self.result.values, **row}
        try:
            result = self.on_submit({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            return {"error": str(error)}
        return {"announcement": self.summary(result) if self.summary else TEXTS["answer_there"]}

    def _comparison_html(self, values: Mapping[str, Any], result: Any) -> str:
        return self.comparison.update(values, result) if self.comparison else ""

    def _compute(self, values: Mapping[str, Any]) -> Any:
        with span("irislib.validate"):
            row = parse_entries(list(self.features.values()), values)
        return self.on_submit(row)

    def _announcement(self, summary: str) -> str:
        if not summary:
            return TEXTS["answer_there"]
        return TEXTS["answered"].format(label=self.answer_label, answer=summary)

    def _handle_draw(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        index = int(request["tab"])
        return {} if self.tabs[index].empty and self.result is None else {"html": self._render_tab(index)}

    def _render_tab(self, index: int) -> str:
        """Render a tab; the first has a button for the report and the history below the prediction."""
        blocks = self.draw_tab(index)
        if index or self.result is None:
            return render(blocks)
        button = DownloadButton(TEXTS["download_report"], "report")
        compared = self.test_rows.compare(self.values, self.result) if self.test_rows else []
        return render([Answer(blocks), *compared, Buttons([button]), *self.history.to_blocks()])

    def draw_tab(self, index: int, is_warm: bool = False) -> list[Block]:
        """Return the content of a tab, drawn anew only if there is a newer result.

        Parameters
        ----------
        index : int
        is_warm : bool, optional
            Draw it for all later visitors.
        """
        contents = self.warm_contents if is_warm else self.contents
        if index not in contents:
            blocks = self.latest_contents[index] = self.warm_contents.get(index) or self._draw(index)
            if any(isinstance(block, Failure) for block in blocks):
                return blocks  # drawn again when the tab is next opened
            contents[index] = blocks
        return contents[index]

    def _card_blocks(self) -> list[list[Block]]:
        return [*self.latest_contents.values(), self.csv_tab.cards if self.csv_tab else []]

    def _draw(self, index: int) -> list[Block]:
        blocks = self.held_features.to_blocks(self.tabs[index].draw(self.result))
        self.jobs.register(blocks)
        return blocks
