"""Two answers side by side: one that a visitor keeps, and the present one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib import insights
from irislib._common.formatting import contribution_format, format_share
from irislib._common.messages import TEXTS
from irislib.errors import NotApplicableError
from irislib.insights._comparison import compare_contributions
from irislib.widgets._blocks import Block, Buttons, Details, FillButton, Paragraph, Section, Table
from irislib.widgets._html import render

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["Comparison"]

MAX_CLASSES = 10  # with their probabilities
MAX_CONTRIBUTIONS = 12


class Comparison:
    """The answer that one visitor keeps, and the latest one.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.private = {feature.name for feature in model.spec.features if feature.private}
        self.latest: tuple[dict[str, str], Prediction] | None = None
        self.pinned: tuple[dict[str, str], Prediction] | None = None

    def update(self, values: Mapping[str, Any], prediction: Prediction) -> str:
        """Take over the latest answer; return the comparison as HTML, or nothing if no answer is kept."""
        self.latest = {n: v for n, v in values.items() if isinstance(v, str) and n not in self.private}, prediction
        return self.to_html()

    def handle_keep(self, _: Mapping[str, Any], __: Sequence[Any]) -> dict[str, Any]:
        """Keep the latest answer."""
        self.pinned = self.latest
        announcement = TEXTS["kept_answer"].format(answer=self.pinned[1].answer) if self.pinned else ""
        return {"html": self.to_html(), "announcement": announcement}

    def handle_end(self, _: Mapping[str, Any], __: Sequence[Any]) -> dict[str, Any]:
        """Keep no answer any longer."""
        self.pinned = None
        return {"html": "", "announcement": TEXTS["compare_ended"]}

    def handle_contributions(self, _: Mapping[str, Any], __: Sequence[Any]) -> dict[str, Any]:
        """Return the contributions to both answers."""
        if not (self.pinned and self.latest):
            return {"html": ""}
        try:
            frame = compare_contributions(self.model, self.pinned[1], self.latest[1])
        except NotApplicableError as error:
            return {"html": render([Paragraph(str(error))])}
        top = frame.head(MAX_CONTRIBUTIONS)
        table = top.set_index(top.columns[0])
        show = contribution_format(str(top.columns[0]), table.to_numpy().ravel())
        table = table.map(show).set_axis(_columns(), axis=1)
        return {"html": render([Table(table)])}

    def to_html(self) -> str:
        """Render both answers; nothing if no answer is kept."""
        return render(self.to_blocks())

    def to_blocks(self) -> list[Block]:
        """Return both answers as blocks; nothing if no answer is kept."""
        if not (self.pinned and self.latest):
            return []
        values, prediction = self.pinned
        if self.latest[1] is prediction:
            return [Paragraph(TEXTS["kept_answer"].format(answer=prediction.answer))]
        frame = insights.comparison(self.model, prediction, self.latest[1]).frame
        answer, inputs = frame[frame["part"] == "answer"], frame[frame["part"] == "input"]
        blocks: list[Block] = [_table(TEXTS["compare_input"], [answer, inputs[inputs["differs"]]])]
        equal = inputs[~inputs["differs"]]
        if len(equal):
            names = equal.set_index("name")[["second"]].rename_axis(index=TEXTS["compare_input"])
            title = TEXTS["compare_equal"].format(count=len(equal))
            blocks.append(Details(title, [Table(names.set_axis([TEXTS["compare_both"]], axis=1))]))
        shares = frame[frame["part"] == "probability"].head(MAX_CLASSES)
        if len(shares):
            shares = shares.assign(first=shares["first"].map(format_share), second=shares["second"].map(format_share))
            blocks.append(_table(TEXTS["compare_probability"], [shares]))
        blocks.append(Buttons([FillButton(TEXTS["compare_fill"], values, prediction.answer)]))
        return [Section(TEXTS["comparison"], blocks, "comparison")]


def _columns() -> list[str]:
    return [TEXTS["compare_kept"], TEXTS["compare_now"]]


def _table(name: str, parts: Sequence[pd.DataFrame]) -> Table:
    """Return a table of the kept and the present answer."""
    import pandas as pd

    frame = pd.concat(parts).set_index("name")[["first", "second"]]
    return Table(frame.set_axis(_columns(), axis=1).rename_axis(index=name))
