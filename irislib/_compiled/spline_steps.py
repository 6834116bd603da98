"""Transformers of numbers by splines, as functions of one row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import factorial
from typing import Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Row, RowTransform
from irislib._compiled.predictors import finite

__all__ = ["SPLINE_STEPS"]

# Of one interval between two knots: the number of splines that are 0 before and after those that are not, and the
# coefficients of these, the highest power first.
Piece = tuple[int, int, list[list[float]]]


def _splines(step: Any) -> RowTransform:
    count = step.bsplines_[0].c.shape[1] - (not step.include_bias)
    curves = [_curve(step, spline, count) for spline in step.bsplines_]

    def transform(row: Row) -> Row:
        values: Row = []
        for value, curve in zip(row, curves, strict=True):
            values += curve(value)
        return finite(values)

    return transform


def _curve(step: Any, spline: Any, count: int) -> Callable[[float], Row]:
    """Return the function from a number to the values of the first splines of a feature."""
    degree, extrapolation = spline.k, step.extrapolation
    knots = sorted(set(spline.t[degree : len(spline.t) - degree].tolist()))
    first, last = knots[0], knots[-1]
    if len(knots) < 2:
        raise NoFasterFormError("a feature of its SplineTransformer has a single value.")
    # a polynomial for each interval: the derivatives at its first knot, by their factorials
    powers = [spline(knots[:-1], nu=power) / factorial(power) for power in range(degree, -1, -1)]
    pieces = [_piece([power[i, :count].tolist() for power in powers]) for i in range(len(knots) - 1)]
    slopes = {end: _piece([spline(end, nu=nu)[:count].tolist() for nu in (1, 0)]) for end in (first, last)}
    gap = [0.0] * count if getattr(step, "handle_missing", "error") == "zeros" else None

    def evaluate(value: float) -> Row:
        if value != value:
            if gap is None:
                raise HardRowError
            return gap
        if extrapolation == "periodic":
            value = first + (value - first) % (last - first)
        elif not first <= value <= last:
            end = first if value < first else last
            if extrapolation == "error":
                raise HardRowError
            if extrapolation == "linear":
                return _values(slopes[end], value - end)
            if extrapolation == "constant":
                value = end
        i = min(max(bisect_right(knots, value) - 1, 0), len(pieces) - 1)
        return _values(pieces[i], value - knots[i])

    return evaluate


def _piece(powers: list[list[float]]) -> Piece:
    columns = [list(column) for column in zip(*powers, strict=True)]
    used = [i for i, column in enumerate(columns) if any(column)] or [0]
    return used[0], len(columns) - 1 - used[-1], columns[used[0] : used[-1] + 1]


def _values(piece: Piece, distance: float) -> Row:
    before, after, columns = piece
    values = [0.0] * before
    for column in columns:
        value = 0.0
        for coefficient in column:
            value = value * distance + coefficient
        values.append(value)
    return values + [0.0] * after


SPLINE_STEPS: dict[str, Callable[[Any], RowTransform]] = {"SplineTransformer": _splines}
