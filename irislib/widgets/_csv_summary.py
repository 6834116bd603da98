"""Cards about a predicted table: its answers, how sure they are, and how often they are right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from irislib._common.formatting import digits_apart, format_count, format_share, format_value
from irislib._common.messages import TEXTS
from irislib._modeling.prediction import SURE
from irislib.insights import Insight, _drawing
from irislib.insights._classification import matrix_insight
from irislib.insights._confidence_intervals import format_interval
from irislib.insights._phrases import axis_label, format_target, with_target_unit
from irislib.widgets._pieces import insight_card

if TYPE_CHECKING:
    import pandas as pd

    from irislib.widgets._blocks import Block
    from irislib.widgets._predicted_table import PredictedTable

__all__ = ["summarize_rows"]

MAX_CLASSES = 30  # of the tables; those with most rows
STATISTICS = (  # in pandas' order
    "table_count", "table_mean", "table_deviation", "table_lowest",
    "table_quarter", "table_half", "table_three_quarters", "table_highest",
)  # fmt: skip
MIN_ROWS = 2  # of which there is something to count


def summarize_rows(table: PredictedTable) -> list[Block]:
    """Return the cards about all predicted rows of a table."""
    model, predicted = table.model, table.predicted
    if len(predicted) < MIN_ROWS:
        return []
    insights = [_describe_numbers(table) if model.classes is None else _count_classes(table)]
    if model.has_probabilities:
        insights.append(_certainty(list(map(table.probability, predicted))))
    if table.truth:
        insights.append(_compare_numbers(table) if model.classes is None else _compare_classes(table))
    return [insight_card(insight) for insight in insights]


def _describe_numbers(table: PredictedTable) -> Insight:
    """Describe how the predicted numbers are distributed."""
    import pandas as pd

    model = table.model
    name = with_target_unit(model, model.spec.target)
    numbers = pd.Series(list(map(table.prediction, table.predicted)), dtype=float, name=name)
    low, middle, high = numbers.quantile([0.1, 0.5, 0.9])
    digits = digits_apart(low, high)
    text = TEXTS["table_numbers"].format(
        low=format_value(low, digits),
        high=format_target(model, high, digits),
        middle=format_target(model, middle, digits),
    )
    draw = partial(_drawing.histogram, values=numbers.to_numpy(), name=name, count=TEXTS["table_count"])
    return Insight(TEXTS["table_answers"], _statistics(numbers), text, draw, 2.6)


def _statistics(numbers: pd.Series) -> pd.DataFrame:
    """Return how many numbers there are, their mean, spread and quartiles."""
    figures = numbers.describe().astype(object)
    figures["count"] = len(numbers)
    figures.index = [TEXTS[key] for key in STATISTICS]
    return figures.to_frame().rename_axis(index=TEXTS["table_statistic"])


def _count_classes(table: PredictedTable) -> Insight:
    """Count the rows of each predicted class."""
    import pandas as pd

    target, counts = table.model.spec.target, table.class_counts
    most, count = counts.most_common(1)[0]
    frame = pd.DataFrame(counts.most_common(MAX_CLASSES), columns=[target, TEXTS["table_count"]])
    share = format_share(count / len(table.predicted))
    text = TEXTS["table_most"].format(label=most, count=format_count(count), share=share)
    draw = partial(_drawing.bars, frame=frame, names=target, values=TEXTS["table_count"])
    return Insight(TEXTS["table_answers"], frame, text, draw, 1 + 0.4 * len(frame), bar=TEXTS["table_count"])


def _certainty(probabilities: list[float]) -> Insight:
    """Describe how probable the likeliest class of each row is."""
    import pandas as pd

    values = pd.Series(probabilities, dtype=float, name="probability")
    unsure = int((values < SURE).sum())
    text = TEXTS["table_unsure"].format(
        count=format_count(unsure), share=format_share(unsure / len(values)), limit=format_share(SURE)
    )
    draw = partial(
        _drawing.histogram,
        values=values.to_numpy(),
        name=TEXTS["table_probability"],
        count=TEXTS["table_count"],
        high=1.0,
    )
    return Insight(TEXTS["table_certainty"], _statistics(values), text, draw, 2.6)


def _names(table: PredictedTable) -> list[str]:
    target = table.model.spec.target_label
    return [TEXTS["table_true"].format(target=target), TEXTS["table_answer"].format(target=target)]


def _compare_classes(table: PredictedTable) -> Insight:
    """Count the true classes by predicted class."""
    import pandas as pd

    names, total = _names(table), len(table.truth)
    right = total - sum(map(table.is_wrong, table.truth))
    text = TEXTS["table_right"].format(
        right=format_count(right), total=format_count(total), interval=format_interval(right, total)
    )
    both = pd.DataFrame([(true, str(table.prediction(i))) for i, true in table.truth.items()], columns=names)
    labels = map(str, table.model.classes or ())
    order = [label for label in labels if label in set(both.to_numpy().ravel())]
    frame = pd.crosstab(both[names[0]], both[names[1]]).reindex(index=order, columns=order, fill_value=0)
    return matrix_insight(table.model, TEXTS["table_compared"], frame, text)


def _compare_numbers(table: PredictedTable) -> Insight:
    """Show predicted against true numbers."""
    import pandas as pd

    model, pairs = table.model, [(true, table.prediction(i)) for i, true in table.truth.items()]
    numbers = pd.DataFrame(pairs, columns=_names(table), dtype=float)
    errors = pd.Series(list(map(table.error, table.truth)), dtype=float)
    mean, median = format_target(model, errors.mean()), format_target(model, errors.median())
    text = TEXTS["table_off"].format(error=mean, middle=median, total=format_count(len(errors)))
    names = [axis_label(model, name) for name in numbers]
    draw = partial(_drawing.points_on_diagonal, frame=numbers, names=names)
    return Insight(TEXTS["table_compared"], numbers, text, draw, 3.6)
