"""The reports of visitors about answers that look wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common import json_lines
from irislib._common.messages import TEXTS
from irislib._description.validation import check_row
from irislib._modeling.feedback import MAX_NOTE, FullError, make_record, parse_right_answer, store_feedback
from irislib._prediction_log.pages import write_feedback

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["Feedback"]

MAX_REPORTS = 10  # of one page

_logged: set[str] = set()  # failures of this process's file that the log has already


class Feedback:
    """The reports about the answers of a page, stored as its model says.

    Parameters
    ----------
    model : Model
        Its description says where the reports are stored.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.count = 0

    def describe(self) -> dict[str, Any]:
        """Return what the page's script needs for the fields."""
        classes = None if self.model.classes is None else [str(name) for name in self.model.classes]
        return {"classes": classes, "unit": self.model.spec.target_unit, "note_length": MAX_NOTE}

    def handle_feedback(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Store a report about the answer to the values that it comes with."""
        if self.count >= MAX_REPORTS:
            return {"error": TEXTS["feedback_enough"].format(count=MAX_REPORTS)}
        values = {name: value for name, value in request["values"].items() if value != ""}
        row, problems = check_row(list(self.model.spec.features), values)
        if problems:
            labels = {feature.name: feature.label for feature in self.model.spec.features}
            return {"error": " ".join(problem.labelled(labels.get(problem.feature or "", "")) for problem in problems)}
        try:
            text = str(request.get("right_answer") or "").strip()
            right_answer = parse_right_answer(self.model, text) if text else None
        except ValueError as error:
            return {"error": f"{TEXTS['feedback_right_answer']} {error}"}
        note = str(request.get("note") or "").strip()[:MAX_NOTE]
        inputs = {name: value for name, value in row.items() if value is not None}
        record = make_record(self.model, inputs, self.model.predict_checked(inputs), right_answer, note)
        return self._store(record)

    def _store(self, record: dict[str, Any]) -> dict[str, Any]:
        try:
            store_feedback(self.model.spec.feedback, record)  # type: ignore[arg-type]  # else there is no such request
        except FullError as error:
            return self._refuse("feedback_full", error)
        except OSError as error:
            if callable(self.model.spec.feedback):
                raise  # handled as any error of the author's code
            return self._refuse("feedback_unwritable", error)
        write_feedback(record)
        self.count += 1
        return {"thanks": TEXTS["feedback_thanks"]}

    def _refuse(self, key: str, error: Exception) -> dict[str, Any]:
        """Return a sentence for the visitor, and write the reason to the log of the server, once."""
        if key not in _logged:
            _logged.add(key)
            json_lines.report(f"The feedback about {self.model.spec.name} is not stored: {error}")
        return {"error": TEXTS[key]}
