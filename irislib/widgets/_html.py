"""Render blocks as HTML; visitors' input is escaped here."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from functools import singledispatch
from typing import Any

from markupsafe import Markup, escape

from irislib._common.formatting import number_format
from irislib._common.language import column_label
from irislib._common.messages import TEXTS
from irislib.widgets._blocks import (
    Answer,
    Block,
    Buttons,
    Card,
    Details,
    DownloadButton,
    Failure,
    FillButton,
    Heading,
    HeldFeatures,
    Html,
    Job,
    Paragraph,
    Picture,
    Rows,
    Section,
    Table,
)
from irislib.widgets._error_boundary import guarded
from irislib.widgets._pieces import charts_of, numbers_of, to_blocks
from irislib.widgets._table_cells import align_numbers, bar_cell, breakable, column_title

__all__ = ["render", "render_pieces"]

WIDE_TABLE = 4  # columns of a table that takes the width of two cards
MISSING = {"nan", "NaT", "<NA>", "None"}  # values without a number or a text, as str writes them


def render(blocks: Iterable[Block], is_static: bool = False) -> Markup:
    """Render blocks as HTML.

    Parameters
    ----------
    blocks : iterable of Block
    is_static : bool, optional
        Render for a file without the page's script, such as a report: a job that is not done is a
        sentence, held features have no checkboxes, and the keyboard reaches every wide table.
    """
    return Markup("\n").join(_render_guarded(block, is_static) for block in blocks)


def _render_guarded(block: Block, is_static: bool) -> Markup:
    """Render a block; one that cannot be rendered gives way to a sentence, and the others stay."""
    failures: list[Failure] = []
    with guarded(lambda text: failures.append(Failure(getattr(block, "title", ""), text))):
        return _render(block, is_static)
    return _render(failures[0], is_static)


def render_pieces(pieces: Iterable[Any]) -> Markup:
    """Render what a tab's function returns."""
    return render(to_blocks(pieces))


@singledispatch
def _render(block: Block, _: bool) -> Markup:
    raise TypeError(f"Cannot render {type(block).__name__}.")


@_render.register
def _(block: Html, _: bool) -> Markup:
    return Markup(block.html)  # noqa: S704 - __html__ promises it


@_render.register
def _(block: Answer, is_static: bool) -> Markup:
    return Markup('<div class="irislib-result">{}</div>').format(render(block.blocks, is_static))


@_render.register
def _(block: Heading, _: bool) -> Markup:
    return Markup('<h2 class="irislib-answer">{}</h2>').format(block.text)


@_render.register
def _(block: Paragraph, _: bool) -> Markup:
    if block.kind == "text":
        return Markup("<p>{}</p>").format(block.text)
    return Markup('<p class="irislib-{}">{}</p>').format(block.kind, block.text)


@_render.register
def _(block: Failure, _: bool) -> Markup:
    heading = Markup("<h3>{}</h3>").format(block.title) if block.title else ""
    return Markup('<section class="irislib-insight">{}<p class="irislib-message">{}</p></section>').format(
        heading, block.text
    )


@_render.register
def _(block: DownloadButton, _: bool) -> Markup:
    return Markup('<button type="button" class="irislib-quiet" data-download="{}">{}</button>').format(
        block.file, block.text
    )


@_render.register
def _(block: FillButton, _: bool) -> Markup:
    values, text, prediction = escape(json.dumps(dict(block.values))), escape(block.text), escape(block.prediction)
    attributes = f'data-fill="{values}" aria-label="{text}: {prediction}"'
    return Markup(f'<button type="button" class="irislib-quiet" {attributes}>{text}</button>')  # noqa: S704 - escaped


@_render.register
def _(block: Buttons, is_static: bool) -> Markup:
    return Markup('<p class="irislib-buttons">{}</p>').format(_join(block.blocks, is_static))


@_render.register
def _(block: Details, is_static: bool) -> Markup:
    attributes = Markup(' class="irislib-{}"').format(block.kind) if block.kind else Markup("")
    attributes += Markup(" open") if is_static else ""
    return Markup("<details{}><summary>{}</summary>{}</details>").format(
        attributes, block.title, _join(block.blocks, is_static)
    )


@_render.register
def _(block: Picture, _: bool) -> Markup:
    data = base64.b64encode(block.svg.encode()).decode()
    return Markup('<img class="irislib-figure" alt="{}" src="data:image/svg+xml;base64,{}">').format(block.alt, data)


@_render.register
def _(block: Section, is_static: bool) -> Markup:
    content = _join(block.blocks, is_static)
    return Markup('<section class="irislib-{}"><h3>{}</h3>{}</section>').format(block.kind, block.title, content)


@_render.register
def _(block: Card, is_static: bool) -> Markup:
    blocks = charts_of(block.insight) if is_static and block.insight.interactive else block.blocks
    charts = Markup('<div class="irislib-charts">{}</div>').format(_join(blocks, is_static))
    if is_static and not block.insight.bar:
        charts += _join(numbers_of(block.insight), is_static)
    name = Markup("") if is_static else Markup(' data-card="{}"').format(block.name)
    if block.insight.interactive and not is_static:
        name += Markup(' data-interactive="{}"').format(block.insight.interactive)
    is_wide = (
        len(block.blocks) > 1
        or bool(block.insight.interactive)
        or (block.insight.bar and len(block.insight.frame.columns) >= WIDE_TABLE)
    )
    return Markup('<section class="irislib-insight{}"{}><h3>{}</h3><p>{}</p>{}</section>').format(
        " irislib-spread" if is_wide else "", name, block.title, block.text, charts
    )


@_render.register
def _(block: HeldFeatures, is_static: bool) -> Markup:
    content = render(block.blocks, is_static)
    if is_static:
        return content
    return Markup('<div data-hold="{}" data-held="{}">{}</div>').format(block.name, json.dumps(block.held), content)


@_render.register
def _(block: Job, is_static: bool) -> Markup:
    if block.blocks is not None:
        return render(block.blocks, is_static)
    if is_static and block.failure:
        return _render(Failure(block.title, block.failure), is_static)
    if is_static:
        text = TEXTS["work_not_done_at_once"] if block.starts_itself else TEXTS["work_not_done"]
        return _render(Section(block.title, [Paragraph(text.format(button=TEXTS["work_start"]))]), is_static)
    return Markup(
        '<section class="irislib-insight" data-job="{}"{}><h3>{}</h3><p>{}</p>'
        '<button type="button" class="irislib-button">{}</button></section>'
    ).format(
        block.name,
        Markup(" data-starts-itself") if block.starts_itself else "",
        block.title,
        block.text,
        TEXTS["work_start"],
    )


@_render.register
def _(block: Table, is_static: bool) -> Markup:
    frame, title = block.frame, str if block.has_own_names else column_title
    levels = [frame.index.get_level_values(i) for i, name in enumerate(frame.index.names) if name is not None]
    names = [*(level.name for level in levels), *frame]
    titles = [title(_name_text(name)) for name in names]
    # columns that have a name together are classes or other values, which stay
    together = [title(str(name)) for name in frame.columns.names if name is not None]
    if together:
        titles[len(levels) :] = map(_name_text, frame)
    if levels and together:
        titles[len(levels) - 1] += f" \\ {', '.join(together)}"
    columns = [*levels, *(frame.iloc[:, i] for i in range(frame.shape[1]))]
    kinds = [column.dtype.kind for column in columns]
    return _table(block, names, titles, zip(*columns, strict=True), columns, kinds, len(levels), is_static)


def _name_text(name: Any) -> str:
    """Return the name of a column as text; that of several levels has several parts."""
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


@_render.register
def _(block: Rows, is_static: bool) -> Markup:
    columns = [[row[i] for row in block.rows] for i in range(len(block.names))]
    titles = [str(name) if block.has_own_names else column_title(str(name)) for name in block.names]
    return _table(block, block.names, titles, block.rows, columns, ["O"] * len(columns), 0, is_static)


def _table(
    block: Table | Rows,
    names: Sequence[Any],
    titles: Sequence[str],
    rows: Iterable[Sequence[Any]],
    columns: Sequence[Iterable[Any]],
    kinds: Sequence[str],
    n_headers: int,
    is_static: bool,
) -> Markup:
    """Render a table, of which the rows and the columns with the kinds of their dtypes are given.

    The first ``n_headers`` cells of a row are its headers.
    """
    own = {} if block.has_own_names else _formats_of_words(names)
    formats: list[Callable[[Any], str]] = [
        own.get(name) or _cell_format(column) for name, column in zip(names, columns, strict=True)
    ]
    classes = [
        "" if name == block.bar_column else align_numbers(column, kind)
        for name, column, kind in zip(names, columns, kinds, strict=True)
    ]
    if block.bar_column:
        i = names.index(block.bar_column)
        formats[i] = bar_cell(block.bar_column, columns[i], kinds[i] in "iu")
    empty, cell = Markup("<td></td>"), Markup('<th scope="col"{}>{}</th>')
    head = Markup("").join(
        empty if name == "" else cell.format(css, breakable(title))
        for name, title, css in zip(names, titles, classes, strict=True)
    )
    body = [_row(row, formats, classes, n_headers) for row in rows]
    return Markup(
        '<div class="irislib-wide"{}><table class="irislib-table"{}>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        Markup(' tabindex="0"') if is_static else "",
        Markup(" data-sortable") if isinstance(block, Table) and block.is_sortable and not is_static else "",
        head,
        Markup("").join(body),
    )


def _join(blocks: Iterable[Block], is_static: bool) -> Markup:
    return Markup("").join(_render(block, is_static) for block in blocks)


def _row(
    values: Sequence[Any], formats: Sequence[Callable[[Any], str]], classes: Sequence[str], n_headers: int
) -> Markup:
    # Markup.format takes many times as long, and a click waits for dozens of cells
    columns = zip(formats, classes, values, strict=True)
    cells = [f"<td{css}>{escape(show(value))}</td>" for show, css, value in columns]
    for i in range(n_headers):
        cells[i] = f'<th scope="row">{escape(formats[i](values[i]))}</th>'
    return Markup(f"<tr>{''.join(cells)}</tr>")  # noqa: S704 - each value is escaped


def _formats_of_words(names: Sequence[Any]) -> dict[Any, Callable[[Any], str]]:
    """Return how to write the cells of frames that are English words of the library's own, by their columns."""
    formats: dict[Any, Callable[[Any], str]] = {"in the set": column_label}
    if "differs" in names:  # a comparison of two rows; another "part" may be a model's target
        formats |= {"part": column_label, "differs": lambda differs: column_label("yes" if differs else "no")}
    return formats


def _cell_format(column: Iterable[Any]) -> Callable[[Any], str]:
    """Return the function that formats the cells of a column."""
    format_number = number_format([value for value in column if isinstance(value, float)])

    def show(value: Any) -> str:
        if isinstance(value, Block):
            return _render(value, False)
        if isinstance(value, float):
            return format_number(value) if value == value else "–"
        text = str(value)
        return "–" if text in MISSING and not isinstance(value, str) else text

    return show
