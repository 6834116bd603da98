"""Charts of tables with dates, large numbers and long names: labels of ticks are whole and apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

import irislib
from irislib import insights
from irislib._common.language import using_language
from irislib.insights import Insight
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import insight_entries

KINDS = [
    "Penthouse with a roof terrace",
    "Farm house with several stables",
    "Bungalow with garden and cellar",
    "Terraced house in the old town",
    "Apartment in a high-rise block",
]
JOBS = ["Agricultural machinery operator", "Bus and coach driver, long trips"]
MARGIN = 1  # of a pixel, for rounding


def days(dates: pd.DataFrame) -> pd.DataFrame:
    return dates.apply(lambda column: column.astype("int64") // 10**9)


def table(first_day: str, span_days: int, size: float) -> pd.DataFrame:
    rng, n = np.random.default_rng(0), 150
    dates = pd.Timestamp(first_day) + pd.to_timedelta(rng.integers(0, span_days, n), unit="D")
    columns = {
        "sold": dates,
        "kind": np.array(KINDS)[np.arange(n) % len(KINDS)],
        "income": rng.normal(size, size / 4, n).round(),
    }
    return pd.DataFrame(columns)


def trained(data: pd.DataFrame, target: str, forest: Any) -> irislib.Model:
    dates, names = FunctionTransformer(days), OrdinalEncoder()
    columns = make_column_transformer((dates, ["sold"]), (names, ["kind"]), remainder="passthrough")
    features = irislib.infer_features(data.drop(columns=target))
    spec = irislib.ModelSpec("houses", features, target, lambda: data, make_pipeline(columns, forest))
    return irislib.train(spec)


def of_number(first_day: str = "2016-01-01", span_days: int = 3000, size: float = 1.2e6) -> irislib.Model:
    data = table(first_day, span_days, size)
    price = data["income"] + size / 2 * (data["kind"] == KINDS[0]) + size / 1e4 * days(data[["sold"]])["sold"] / 86400
    return trained(data.assign(price=price), "price", RandomForestRegressor(5))


def of_classes(names: list[str]) -> irislib.Model:
    data = table("2023-01-01", 100, 3e7)
    ranks = (len(names) * data["income"].rank(pct=True, method="first")).astype(int).clip(upper=len(names) - 1)
    return trained(data.assign(job=np.array(names)[ranks]), "job", RandomForestClassifier(5))


def every_insight(model: irislib.Model, trains: bool) -> Iterator[Insight]:
    """Yield the insights of a model, with those that train it many times or without."""
    row = model.evaluation.features.iloc[[0]]
    for entry in insight_entries(insights.default_tabs(model).items()).values():
        if isinstance(entry.function, LongRunning) and entry.function.trains and not trains:
            continue
        yield entry.function(model, row) if entry.needs_row else entry.function(model)


def overlap(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Return True if two labels that follow each other overlap, also if both are turned."""
    (label, box), (_, next_box) = one, other
    if angle := math.radians(label.get_rotation() % 180):
        lines = label.get_text().count("\n") + 1
        return abs(next_box.x1 - box.x1) * math.sin(angle) < lines * label.get_fontsize()  # 72 pixels an inch
    return box.shrunk(0.98, 0.9).overlaps(next_box.shrunk(0.98, 0.9))


def faults(insight: Insight) -> list[str]:
    """Return which labels of an insight's charts overlap or are cut off."""
    found = []
    for panel in insight.panels():
        figure = panel.plot()
        figure.set_dpi(72)
        figure.draw_without_rendering()
        limits = figure.bbox
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
                labels = [tick.label1 for tick in ticks if tick.label1.get_text() and tick.label1.get_visible()]
                boxes = [label.get_window_extent() for label in labels]
                where = f"{insight.title}: {[label.get_text() for label in labels]}"
                if labels and not axis.label.get_text() and axis is axes.xaxis:
                    found.append(f"{where} have no name")
                legend = axes.get_legend()
                extra = [
                    text for text in (axis.label, axis.offsetText, *(legend.texts if legend else ())) if text.get_text()
                ]
                for text, box in zip(
                    [*labels, *extra], [*boxes, *(one.get_window_extent() for one in extra)], strict=True
                ):
                    inside = limits.x0 - MARGIN <= box.x0 and box.x1 <= limits.x1 + MARGIN
                    if not (inside and limits.y0 - MARGIN <= box.y0 and box.y1 <= limits.y1 + MARGIN):
                        found.append(f"{text.get_text()!r} is cut off in {where}")
                if any(itertools.starmap(overlap, pairwise(zip(labels, boxes, strict=True)))):
                    found.append(f"{where} overlap")
    return found


@pytest.mark.parametrize(
    ("make", "language", "trains"),
    [
        (of_number, "de", True),
        (lambda: of_number("2024-02-01", 20, 5e9), "en", False),
        (lambda: of_classes([f"{name} {i}" for name in JOBS for i in range(4)]), "en", True),
        (lambda: of_classes(JOBS), "de", False),
    ],
    ids=["years", "days", "many classes", "two classes"],
)
def test_no_labels_of_an_axis_overlap_or_are_cut_off(make, language, trains, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    with using_language(language):
        assert [fault for insight in every_insight(make(), trains) for fault in faults(insight)] == []


def test_a_name_with_dollar_signs_is_no_formula() -> None:
    names = ["up to $5", "$5-$10", "over $_$"]  # matplotlib cannot draw the last as a formula
    seen = 0
    for insight in every_insight(of_classes(names), trains=False):
        figure = insight.plot()
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert not any(text.get_parse_math() for text in texts), insight.title
        seen += len(texts)
    assert seen > 10
    own = Insight("Own", pd.DataFrame(), "", lambda axes: axes.set_xlabel("$R^2$"))
    assert own.plot().axes[0].xaxis.label.get_parse_math()
