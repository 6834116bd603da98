"""Reports of the right answers to logged predictions, by the ids of their requests."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import short_repr
from irislib._common.messages.api import TEXTS
from irislib._description.values import is_empty, to_json
from irislib._modeling.feedback import MAX_NOTE, parse_right_answer
from irislib._prediction_log.records import time_text
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["FIELDS", "MAX_NOTE", "REQUEST_ID_PATTERN", "parse_report"]

REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._:-]{1,100}")
FIELDS = ("request_id", "row", "right_answer", "note")


def parse_report(model: Model, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a report.

    Parameters
    ----------
    model : Model
    body : mapping
        The id of a request and the right answer; of a batch also the position of the row, from 0; a note if need be.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    """
    problems = [Problem(TEXTS["feedback.unknown"].format(name=short_repr(n)), str(n)) for n in body if n not in FIELDS]
    values = {name: None if is_empty(body.get(name)) else body[name] for name in FIELDS}

    def refuse(name: str, reason: str) -> None:
        problems.append(Problem(f"{name} {reason}", name, body.get(name)))

    request_id, row, note = values["request_id"], values["row"], values["note"]
    if not isinstance(request_id, str) or not REQUEST_ID_PATTERN.fullmatch(request_id):
        refuse("request_id", TEXTS["feedback.id"].format(value=short_repr(request_id)))
    if row is not None and (isinstance(row, bool) or not re.fullmatch(r"\d{1,9}", str(row))):
        refuse("row", TEXTS["feedback.row"].format(value=short_repr(row)))
    if note is not None and (not isinstance(note, str) or len(note) > MAX_NOTE):
        refuse("note", TEXTS["feedback.note"].format(limit=MAX_NOTE))
    right_answer = None
    if values["right_answer"] is None:
        refuse("right_answer", TEXTS["feedback.missing"])
    else:
        try:
            right_answer = to_json(parse_right_answer(model, values["right_answer"]))
        except ValueError as error:
            classes = ", ".join(str(name) for name in model.classes or ())
            refuse("right_answer", TEXTS["feedback.class"].format(classes=classes) if classes else str(error))
    if problems:
        raise ValidationError(problems)
    return {
        "time": time_text(time.time()),
        "request_id": request_id,
        "model": model.spec.name,
        "row": None if row is None else int(row),
        "right_answer": right_answer,
        "note": note or "",
    }
