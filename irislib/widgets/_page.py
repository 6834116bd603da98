"""The page: what Python says to its script. The script and the style are in ``frontend/``."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import anywidget
import traitlets
from markupsafe import Markup

from irislib._common import theme
from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib._description.feature_types import UploadedFile
from irislib._description.spec import describe_faults
from irislib._description.validation import check_row
from irislib.errors import SpecError, ValidationError
from irislib.widgets import _html
from irislib.widgets._csv_tab import TABLE_BYTES, CsvTab
from irislib.widgets._error_boundary import guarded
from irislib.widgets._fields import FILE_BYTES, described, typed, written
from irislib.widgets._held_features import HeldFeatures
from irislib.widgets._history import History
from irislib.widgets._jobs import JobList
from irislib.widgets._report import report
from irislib.widgets._warm_up import work_ahead

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["Page", "Tab"]

FRONT = files("irislib.widgets") / "frontend"
PART = 500_000  # bytes of a download in one message
TOLD = 8  # the latest answers, which may have been lost on their way


@dataclass(frozen=True)
class Tab:
    """One tab of a page.

    Attributes
    ----------
    title : str
    draw : callable
        Takes what the page's ``answer`` returned (None before the first answer) and returns a list
        of what to show: sentences, DataFrames, matplotlib Figures, Insights, Works, Fixables. It is called when
        the tab is first opened, and again after each new answer.
    empty : str
        What the tab says before the first answer; where it is empty the tab needs no answer and
        is drawn only once.
    """

    title: str
    draw: Callable[[Any], Sequence[Any]]
    empty: str = ""


class Page(anywidget.AnyWidget):
    """An app: what it asks, what it does with it, and the tabs that show what came of it.

    Parameters
    ----------
    title : str
    features : sequence of Feature
        The fields of the form.
    action : str
        The words on its button.
    answer : callable
        Takes what was entered, checked and read, as a dict by the features' names without what was
        left empty; returns what the tabs draw. A ValidationError of it is shown beside the fields.
        A file is an :class:`irislib._description.feature_types.UploadedFile`.
    tabs : sequence of Tab
    examples : mapping of str to mapping, optional
        Named rows that fill the form at the press of a button.
    summary : callable, optional
        Takes what ``answer`` returned and returns it in a few words; with it the page keeps a
        history of the answers.
    model : Model, optional
        What answers whole tables; without it there is no tab for them.
    about : mapping of str to str, optional
        What the page and its reports say below, such as the version of the model.
    card : str, optional
        The address of the model's card, beside that of the page, where a server has one there.

    Raises
    ------
    SpecError
        Where the features do not make a form.
    """

    _esm = "\n".join(
        (FRONT / name).read_text(encoding="utf-8") for name in ("ask.js", "fields.js", "table.js", "page.js")
    )
    _css = theme.css_properties(".irislib") + (FRONT / "style.css").read_text(encoding="utf-8")
    facts = traitlets.Dict().tag(sync=True)
    work_ahead = work_ahead

    def __init__(
        self,
        title: str,
        features: Sequence[Feature],
        action: str,
        answer: Callable[[dict[str, Any]], Any],
        tabs: Sequence[Tab],
        examples: Mapping[str, Mapping[str, Any]] | None = None,
        summary: Callable[[Any], str] | None = None,
        model: Model | None = None,
        about: Mapping[str, str] | None = None,
        card: str = "",
    ):
        if faults := describe_faults(features):
            raise SpecError(f"The page {title!r}", faults)
        self.features = {feature.name: feature for feature in features}
        self.answer = answer
        self.tabs = list(tabs)
        self.summary = summary
        self.about = {name: fact for name, fact in (about or {}).items() if fact}
        self.result: Any = None
        self.values: dict[str, str] = {}  # what `result` is the answer to
        self.history = History(features)
        self.table = CsvTab(model) if model else None
        self.measuring = JobList()
        self.fixing = HeldFeatures(self.features)
        self.drawn: dict[int, Markup] = {}
        self.kept: dict[int, Markup] = {}  # drawn ahead, for when their tab is opened
        self.parcels: dict[str, tuple[str, bytes]] = {}
        self.told: deque[tuple[dict[str, Any], list[bytes]]] = deque(maxlen=TOLD)
        shown: list[dict[str, Any]] = [{"title": t.title, "empty": t.empty, "waits": bool(t.empty)} for t in tabs]
        if model:
            limit = {"bytes": TABLE_BYTES, "rows": model.spec.max_rows}
            shown.append({"title": TEXTS["table"], "empty": "", "table": limit})
        facts = {
            "title": title,
            "action": action,
            "fields": [described(feature) for feature in features],
            "examples": [[name, written(features, row)] for name, row in (examples or {}).items()],
            "tabs": shown,
            "about": list(self.about.items()),
            "card": card,
            "file_bytes": FILE_BYTES,
            "texts": TEXTS,
        }
        super().__init__(facts=facts)
        self.on_msg(lambda _, question, buffers: self.send(*self.reply(question, buffers)))

    def reply(self, question: Mapping[str, Any], buffers: Sequence[Any] = ()) -> tuple[dict[str, Any], list[bytes]]:
        """Answer a question of the page's script; whatever fails becomes a sentence.

        Parameters
        ----------
        question : mapping
            ``ask`` says which one, ``id`` comes back with the answer. A visitor can send anything.
        buffers : sequence of bytes
            Contents of files.
        """
        reply: dict[str, Any] = {}
        with guarded(lambda text: reply.update(failed=text), lambda: self._secrets(question)):
            reply["id"] = question["id"]
            for told in self.told:  # asked again, by a script that has lost its connection in between
                if told[0]["id"] == reply["id"]:
                    return told
            reply.update(self._handler(question["ask"])(question, buffers))
        parts = [reply.pop("part")] if "part" in reply else []
        if "id" in reply:
            self.told.append((reply, parts))
        return reply, parts

    def _secrets(self, question: Any) -> list[str]:
        """What a failure's traceback must not quote."""
        if not isinstance(question, dict) or not isinstance(question.get("values"), dict):
            return []
        private = [name for name, feature in self.features.items() if feature.private]
        return [str(question["values"].get(name, "")) for name in private] + [
            str(part) for file in question.get("files", ()) for part in file[1:]
        ]

    def _handler(self, ask: str) -> Callable[[Mapping[str, Any], Sequence[Any]], dict[str, Any]]:
        table = self.table
        known: dict[str, Any] = {
            "hello": self._hello,
            "check": self._check,
            "answer": self._answer,
            "draw": self._draw,
            "download": self._download,
            "work": self._work,
            "fix": lambda question, _: self.fixing.again(question, self.drawn),
        }
        if table:
            known |= {
                "table_begin": table.begin,
                "table_part": table.part,
                "table_read": table.read,
                "table_slice": table.slice,
                "table_result": table.result,
            }
        return known[ask]  # type: ignore[no-any-return]

    def _hello(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """A view has opened, perhaps by a link: what of the link is sound, and what was shown already."""
        values, ignored = {}, []
        for name, value in parse_qsl(str(question.get("query", "")).removeprefix("?"), keep_blank_values=True):
            feature = self.features.get(name)
            try:
                if feature is None:
                    if not name.startswith("voila"):
                        ignored.append(TEXTS["no_such_field"].format(name=name))
                elif feature.private:
                    ignored.append(TEXTS["never_by_link"].format(label=feature.label))
                else:
                    values[name] = feature.written(feature.parse(value)) if value.strip() else ""
            except ValueError as error:
                ignored.append(f"{feature.label if feature else name} {error} {_left_at(feature)}".strip())
        return {"values": values, "ignored": ignored, "panes": [(i, self._shown(i)) for i in sorted(self.drawn)]}

    def _check(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """What is wrong with one value, while the others are still being filled in."""
        feature = self.features[question["name"]]
        try:
            feature.parse(question["value"])
        except ValueError as error:
            return {"message": f"{feature.label} {error}"}
        return {}

    def _answer(self, question: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        values: dict[str, Any] = {name: value for name, value in question["values"].items() if value != ""}
        if sum(len(content) for content in buffers) > FILE_BYTES:
            raise ValueError("more than the page sends")
        for (name, file), content in zip(question.get("files", ()), buffers, strict=True):
            values[name] = UploadedFile(str(file), bytes(content))
        read, problems = check_row(list(self.features.values()), values)
        try:
            if problems:
                raise ValidationError(problems)
            self.result = self.answer({name: value for name, value in read.items() if value is not None})
        except ValidationError as error:
            return self._refused(error)
        self.values = {name: values[name] for name, f in self.features.items() if name in values and not f.private}
        for i, tab in enumerate(self.tabs):
            if tab.empty:
                self.drawn.pop(i, None)
        said = self.summary(self.result) if self.summary else ""
        if said:
            self.history.add(said, self.values)
        words = TEXTS["answered"].format(answer=said) if said else TEXTS["answer_there"]
        return {"html": self._shown(0), "said": words}

    def _refused(self, error: ValidationError) -> dict[str, Any]:
        problems: dict[str, str] = {}
        others = []
        for problem in error.problems:
            feature = self.features.get(problem.feature or "")
            if feature:
                problems.setdefault(feature.name, problem.labelled(feature.label))
            else:
                others.append(problem.message)
        return {"problems": problems, **({"failed": " ".join(others)} if others else {})}

    def _draw(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        i = int(question["tab"])
        return {} if self.tabs[i].empty and self.result is None else {"html": self._shown(i)}

    def _shown(self, i: int) -> Markup:
        """A tab with what the page adds to it: below the answer its report and those before it."""
        if i or self.result is None:
            return self._drawn(i)
        button = _html.downloading(TEXTS["download_report"], "report")
        return self._drawn(i) + Markup('<p class="irislib-buttons">{}</p>{}').format(button, self.history.html())

    def _drawn(self, i: int) -> Markup:
        """The content of a tab, drawn unless it shows the latest answer already."""
        if i not in self.drawn:
            self.drawn[i] = self.kept.get(i) or self.measuring.html(self.fixing.drawn(self.tabs[i].draw(self.result)))
        return self.drawn[i]

    def _work(self, question: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        """The next step of what takes long; what came of it is there for the next view and the report."""
        reply = self.measuring.step(question, buffers)
        if "html" in reply:
            self.measuring.put(question["name"], reply["html"], self.drawn)
        return reply

    def _download(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """One part of a file for the visitor."""
        what, part = question["what"], int(question["part"])
        if part == 0:
            makers: dict[str, Callable[[], tuple[str, bytes] | None]] = {"report": self._report}
            if self.table:
                makers |= {"template": self.table.template, "result": self.table.parcel}
            made = makers[what]()
            if made is None:
                return {"failed": TEXTS["table_gone"]}
            self.parcels[what] = made
        name, content = self.parcels[what]
        ending = "text/html" if name.endswith(".html") else "text/csv"
        last = (part + 1) * PART >= len(content)
        if last:
            del self.parcels[what]
        return {"name": name, "type": ending, "last": last, "part": content[part * PART : (part + 1) * PART]}

    def _report(self) -> tuple[str, bytes]:
        inputs = [(self.features[name].label, typed(self.features[name], value)) for name, value in self.values.items()]
        title = self.facts["title"]
        sections: list[tuple[str, Markup]] = []
        for i, tab in enumerate(self.tabs[1:], 1):
            told: list[str] = []
            with guarded(told.append):
                self._drawn(i)
                self.measuring.finish(self.drawn)
                sections.append((tab.title, self.measuring.without(self.drawn[i])))
            sections += [(tab.title, _html.paragraph(text)) for text in told]
        stem = re.sub(r"\W+", "-", title.lower()).strip("-") or "report"
        return f"{stem}-report.html", report(title, inputs, self._drawn(0), sections, self.about)


def _left_at(feature: Feature | None) -> str:
    """What a field still holds that a link could not fill in."""
    value = feature.written(feature.default) if feature else ""
    return TEXTS["left_at"].format(value=value) if value else ""
