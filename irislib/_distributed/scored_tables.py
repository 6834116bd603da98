"""Tables with their predictions: the columns that a batch of the endpoint has, of CSV and Parquet files and frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from irislib._description.validation import check_columns
from irislib._modeling import csv_layout, csv_predictions, csv_results, csv_rows, many_rows

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib.errors import Problem

__all__ = ["WrongRows", "score_csv", "score_frame", "score_parquet"]

CSV_ROWS, PARQUET_ROWS = 32_000, 65_536  # read at once


class WrongRows:
    """The rows that have no prediction, as the lines of a CSV file.

    Parameters
    ----------
    file : str
        The name of the table that they are in.
    counted : str
        What their numbers count: ``line`` of a CSV file, as a spreadsheet numbers them, or ``row``, from 1.
    """

    def __init__(self, file: str, counted: str):
        self.file, self.counted, self.count = file, counted, 0
        self.text = io.StringIO()
        self.writer = csv.writer(self.text)

    def add(self, problems: Mapping[int, Sequence[Problem]], numbers: Sequence[int]) -> None:
        """Add rows by their positions among some, of which these are the numbers in the table."""
        for row, row_problems in problems.items():
            if row_problems and not self.count:
                self.writer.writerow(["file", self.counted, "feature", "problem"])
            self.count += bool(row_problems)
            for problem in row_problems:
                self.writer.writerow([self.file, numbers[row], problem.feature or "", problem.message])

    def take(self) -> bytes:
        """Return the lines that were added since."""
        content = self.text.getvalue().encode()
        self.text.seek(0)
        self.text.truncate()
        return content


class Scored(NamedTuple):
    """Some rows that are scored: their number, what is written, and how much of the table is done."""

    rows: int
    content: Any
    fraction: float


def score_csv(model: Model, source: IO[bytes], wrong: WrongRows, charset: str, size: int) -> Iterator[Scored]:
    """Yield a CSV file with its predictions, as the endpoint answers it as a batch.

    Raises
    ------
    ValidationError
        If the file cannot be used.
    """
    layout = csv_layout.read_layout(source, model.spec.features, None, charset)
    yield Scored(0, csv_results.write_header(model, layout), 0.0)
    position = 0
    for rows in csv_rows.read_parts(source, layout, CSV_ROWS):
        results = csv_predictions.predict_part(model, layout, rows)
        if results is not None and results.problems:
            filled = csv_predictions.filled_rows(rows, position + layout.first_line)
            wrong.add(results.problems, filled)
        content = csv_results.write_part(model, layout, rows, results)
        position += len(rows)
        yield Scored(len(rows), content, source.tell() / max(size, 1))


def score_parquet(
    model: Model, source: IO[bytes], target: IO[bytes], wrong: WrongRows, groups: range | None, start: int
) -> Iterator[Scored]:
    """Write a Parquet file with its predictions, or some row groups of it.

    Raises
    ------
    ValidationError
        If it lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source, pre_buffer=False)  # what Arrow reads ahead takes memory that grows with the file
    schema = file.schema_arrow
    columns = csv_layout.find_columns(schema.names, model.spec.features)
    added = csv_results.added_columns(model, schema.names)
    prediction = pa.float64() if model.classes is None else pa.array(model.classes).type
    types = [prediction, *[pa.float64()] * (len(added) - 3), pa.string(), pa.string()]
    written = pa.schema([*schema, *map(pa.field, added, types)], schema.metadata)
    chosen = range(file.num_row_groups) if groups is None else groups
    count = max(sum(file.metadata.row_group(i).num_rows for i in chosen), 1)
    done = 0
    with pq.ParquetWriter(target, written) as writer:
        for batch in file.iter_batches(PARQUET_ROWS, row_groups=list(chosen)):
            values = {name: batch.column(index).to_pandas() for name, index in columns.items()}
            results = _predict(model, values, len(batch))
            wrong.add(results.problems, range(start + done + 1, start + done + len(batch) + 1))
            cells, missing = _cells(results, len(batch))
            arrays = [_arrow_array(*pair, missing) for pair in zip(cells, types, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=written))
            done += len(batch)
            yield Scored(len(batch), None, done / count)


def _arrow_array(values: Any, kind: Any, missing: Any) -> Any:
    """Return a column of Arrow's; messages are there for rows without a prediction, too."""
    import pyarrow as pa

    if isinstance(values, list):
        return pa.array(values, kind)
    # other arrays, such as those of fixed width, have to become values of Python
    if values.dtype.kind in "fiub":
        return pa.array(values, kind, mask=missing)
    return pa.array(values.astype(object), kind, mask=missing)


def score_frame(model: Model, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a DataFrame with the columns that are added to it, see :func:`irislib.score`."""
    columns = csv_layout.find_columns(list(map(str, frame.columns)), model.spec.features)
    added = csv_results.added_columns(model, list(frame.columns))
    results = _predict(model, {name: frame.iloc[:, index] for name, index in columns.items()}, len(frame))
    cells, missing = _cells(results, len(frame))
    columns_added = zip(added, cells, _dtypes(model, len(added)), strict=True)
    return frame.assign(**{name: _series(values, frame.index, dtype, missing) for name, values, dtype in columns_added})


def _cells(results: many_rows.ManyPredictions, count: int) -> tuple[list[Any], Any]:
    """Return the columns that are added, and which rows have no prediction; None if all have one."""
    missing = None if results.has_prediction.all() else ~results.has_prediction
    return [*results.arrays, *csv_results.message_columns(results, count)], missing


def _series(values: Any, index: pd.Index, dtype: Any, missing: Any) -> pd.Series:
    """Return a column of pandas'; messages are there for rows without a prediction, too."""
    import pandas as pd

    if missing is not None and not isinstance(values, list):
        values = values.astype("float64" if dtype == "float64" else object)
        values[missing] = None
    return pd.Series(values, index, dtype)


def _dtypes(model: Model, count: int) -> list[Any]:
    """Return the dtypes of the columns that are added; a row without a prediction has to have a missing value."""
    import pandas as pd

    text = pd.Series([""]).dtype  # from pandas 3 on it has one of its own
    by_kind = {int: "Int64", bool: "boolean", str: text}
    kinds = [*{type(name) for name in model.classes or ()}]
    prediction = "float64" if not kinds else by_kind.get(kinds[0], "object") if len(kinds) == 1 else "object"
    return [prediction, *["float64"] * (count - 3), text, text]


def _predict(model: Model, values: Mapping[str, Any], count: int) -> many_rows.ManyPredictions:
    return many_rows.predict_many(model, check_columns(model.spec.features, values, count), {})
