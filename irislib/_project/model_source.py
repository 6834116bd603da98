"""The text of model.py, formatted as formatters leave it."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib import __version__
from irislib._common.formatting import readable_name, within_sentence
from irislib._common.messages.new import SOURCE
from irislib._description.inference import own_facts
from irislib._project.estimator_choice import DATE_NUMBERS, MODULES, TEXTS, Choice
from irislib._project.findings import Finding, show
from irislib._project.python_text import (
    WIDTH,
    Call,
    Node,
    Sequenced,
    comment,
    docstring,
    flat,
    import_order,
    is_standard,
    laid_out,
    literal,
    quoted,
)
from irislib._project.sql_source import content_of

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._project.column_checks import Change
    from irislib._project.table_source import TableSource
    from irislib._project.target_kind import Target

__all__ = [
    "Sketch",
    "about_model",
    "about_target",
    "feature_node",
    "features_block",
    "load_data_block",
    "model_source",
    "title_of",
]

ABOUT_ROWS = ("few_rows", "groups", "time_order", "conflicts", "duplicates", "one_hot", "correlated")
LEFT_OUT_ROWS = ("target_gaps", "target_infinite", "one_row_class")
ABOUT_TARGET = ("rare_class", "many_classes", "imbalance", "target_codes", "target_few", "positive", "skewed_target")
ABOUT_ESTIMATOR = ("no_better", "no_better_number", "near_perfect", "never", "skewed_target")

COLUMNS = '''
def columns(kind: str) -> list[str]:
    """Return the columns of the features of a kind, for the estimator below."""
    return [feature.column for feature in FEATURES if feature.kind == kind]
'''
COLUMNS_TEXT = '''
def columns(kind: str) -> list[str]:
    """Return the columns of the features of a kind, but for those of free text."""
    features = [feature for feature in FEATURES if feature.control != "textarea"]
    return [feature.column for feature in features if feature.kind == kind]
'''


NO_CHOICE = Choice("", frozenset(), "")


@dataclass(frozen=True)
class Sketch:
    """The parts of the text of model.py.

    Attributes
    ----------
    name : str
        Of the project.
    table : TableSource
    rows : int
        That load_data returns.
    target : Target
    features, spare : sequence of Feature
        Those of the model, and those of columns that are left out but may be taken back.
    left_out : dict of column to Finding
        Why columns are left out.
    changes : dict of column to tuple of list of str and Finding
        What load_data changes.
    findings : sequence of Finding
    choice : Choice
        Without a reason where an estimator was given.
    examples : dict of str to dict
    further : dict of str to dict
        What the examples have in columns that may be taken back.
    limits : dict of column to tuple
        The lowest and the largest value where the feature has a limit.
    """

    name: str
    table: TableSource
    rows: int
    target: Target
    features: Sequence[Feature]
    findings: Sequence[Finding]
    spare: Sequence[Feature] = ()
    left_out: Mapping[Any, Finding] = field(default_factory=dict)
    changes: Mapping[Any, Change] = field(default_factory=dict)
    choice: Choice = NO_CHOICE
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    further: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: Mapping[Any, tuple[Any, Any]] = field(default_factory=dict)


def model_source(sketch: Sketch) -> str:
    """Return the text of model.py."""
    uses = {name: name in flat(sketch.choice.node) for name in ("date_numbers", "columns(")}
    blocks = [
        _head(sketch),
        load_data_block(sketch),
        features_block(sketch),
        *([DATE_NUMBERS] if uses["date_numbers"] else []),
        *([TEXTS] if "FunctionTransformer(texts)" in flat(sketch.choice.node) else []),
        *(_columns(sketch) if uses["columns("] else []),
        _estimator(sketch),
        _spec(sketch),
    ]
    return "\n".join(blocks).rstrip("\n") + "\n"


def _head(sketch: Sketch) -> str:
    title, path = title_of(sketch.name), sketch.table.path
    about = SOURCE["about"].format(
        title=title, target=sketch.target.column, source=path.name if path else SOURCE["database"]
    )
    standard = [line for line in sketch.table.imports if is_standard(line)]
    standard += ["from pathlib import Path"] if "DATA" in sketch.table.expression else []
    others = ["import pandas as pd", "from irislib import Feature, ModelSpec"]
    others += [line for line in sketch.table.imports if line not in standard]
    by_module: dict[str, list[str]] = {}
    for name in sorted(sketch.choice.names, key=lambda name: (not name[0].isupper(), name)):
        by_module.setdefault(MODULES[name], []).append(name)
    others += [_import(module, names) for module, names in by_module.items()]
    lines = [f'"""{docstring(about)}', "", *SOURCE["drafted"].format(version=__version__).splitlines(), '"""', ""]
    if standard:
        lines += [*sorted(set(standard), key=import_order), ""]
    lines += [*sorted(set(others), key=import_order)]
    if "DATA" in sketch.table.expression and path is not None:
        lines += ["", f'DATA = Path(__file__).parent / "data" / {quoted(path.name)}']
    return "\n".join(lines) + "\n"


def _import(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def title_of(name: str) -> str:
    """Return the title of a project."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def load_data_block(sketch: Sketch) -> str:
    """Return the function load_data."""
    rows = SOURCE["rows"].format(rows=sketch.rows)
    lines = ["", "def load_data() -> pd.DataFrame:", f'    """{rows}"""']
    for note in sketch.table.notes:
        lines += comment(note, 4)
    lines += textwrap.indent(sketch.table.statements, " " * 4).splitlines()
    drops = [finding for finding in sketch.target.findings if finding.kind in LEFT_OUT_ROWS]
    for finding in drops:
        lines += comment(finding.text, 4)
    lines += [f"    {line}" for line in sketch.target.lines]
    for change, finding in sketch.changes.values():
        lines += [*comment(finding.text, 4), *(f"    {line}" for line in change)]
    lines += [part for f in sketch.findings if f.kind in ABOUT_ROWS for part in comment(f.text, 4)]
    return "\n".join([*lines, "    return data"]) + "\n"


def features_block(sketch: Sketch) -> str:
    """Return the list of the features."""
    lines = ["", *comment(SOURCE["features"]), "FEATURES = ["]
    about: dict[Any, list[str]] = {}
    for finding in sketch.findings:
        in_function = finding.kind in ABOUT_ROWS or any(finding is change[1] for change in sketch.changes.values())
        if finding.column is not None and not in_function and finding.column not in sketch.left_out:
            about.setdefault(finding.column, []).append(finding.text)
    by_column = {feature.column: feature for feature in [*sketch.features, *sketch.spare]}
    for column in [*by_column, *(column for column in sketch.left_out if column not in by_column)]:
        feature = by_column.get(column)
        if column in sketch.left_out:
            lines += comment(sketch.left_out[column].text, 4)
            if feature is not None:
                lines += [f"    # {line[4:]}" for line in laid_out(feature_node(feature), "", 4, ",").splitlines()]
            continue
        if feature is None:
            continue
        for text in [*about.get(column, []), *_limit_text(sketch, column)]:
            lines += comment(text, 4)
        lines.append(laid_out(feature_node(feature), "", 4, ","))
    return "\n".join([*lines, "]"]) + "\n"


def _limit_text(sketch: Sketch, column: Any) -> list[str]:
    if column not in sketch.limits:
        return []
    low, high = map(show, sketch.limits[column])
    return [SOURCE["limit"].format(low=low, high=high)]


def feature_node(feature: Feature) -> Node:
    """Return the Python of a feature, without what is so anyway."""
    arguments, named = own_facts(feature)
    for name in {"low", "high"} & {*named}:
        if isinstance(named[name], float) and named[name].is_integer():
            named[name] = int(named[name])
    return Call("Feature", [*map(literal, arguments)], {name: literal(value) for name, value in named.items()})


def _columns(sketch: Sketch) -> Iterable[str]:
    has_words = any(feature.control == "textarea" for feature in sketch.features)
    return [COLUMNS_TEXT if has_words else COLUMNS]


def _estimator(sketch: Sketch) -> str:
    lines = ["", *comment(sketch.choice.reason)]
    lines += [part for f in sketch.findings if f.kind in ABOUT_ESTIMATOR for part in comment(f.text)]
    lines.append(laid_out(sketch.choice.node, "ESTIMATOR = "))
    return "\n".join(lines) + "\n"


def _spec(sketch: Sketch) -> str:
    lines = ["", "spec = ModelSpec(", *about_target(sketch, 4), "    load_data=load_data,", "    estimator=ESTIMATOR,"]
    lines += ["    test_size=0.2,", "    random_state=0,", *about_model(sketch, 4)]
    return "\n".join([*lines, ")"]) + "\n"


def about_target(sketch: Sketch, indent: int) -> list[str]:
    """Return the lines of a description up to its target and classes."""
    target, space = sketch.target, " " * indent
    lines = [f"{space}name={quoted(sketch.name)},", f"{space}title={quoted(title_of(sketch.name))},"]
    lines += [f"{space}features=FEATURES,"]
    for finding in sketch.findings:
        if finding.kind in ABOUT_TARGET and finding.kind not in ("positive", "target_codes", "skewed_target"):
            lines += comment(finding.text, indent)
    lines.append(laid_out(literal(target.column), "target=", indent, ","))
    if target.unit:
        lines.append(f"{space}target_unit={quoted(target.unit)},")
    return lines + _classes(sketch, indent)


def about_model(sketch: Sketch, indent: int, limits: str = SOURCE["limits"]) -> list[str]:
    """Return the lines of a description from its examples on."""
    lines = []
    if sketch.examples:
        lines += comment(SOURCE["examples" if sketch.table.expression else "examples_alone"], indent)
        lines.append(laid_out(_examples(sketch), "examples=", indent, ","))
    source = laid_out(quoted(_source(sketch)), "source=", indent, ",")
    lines.append(source if sketch.table.expression else f"{' ' * indent}# source={quoted(SOURCE['source_alone'])},")
    label = readable_name(str(sketch.target.column), sketch.target.unit)
    lines += comment(SOURCE["todo"], indent)
    for key, template in (("purpose", SOURCE["purpose"]), ("limits", limits)):
        text = template.format(target=within_sentence(label), inputs=len(sketch.features), rows=sketch.rows)
        lines.append(laid_out(quoted(text), f"{key}=", indent, ","))
    return [*lines, f"{' ' * indent}# contact={quoted(SOURCE['contact'])},"]


def _examples(sketch: Sketch) -> Node:
    """Return the examples, with values of columns that are left out as comments."""
    rows: dict[str, Node] = {}
    for title, row in sketch.examples.items():
        values = {flat(literal(name)): literal(value) for name, value in row.items()}
        further = {f"# {flat(literal(name))}": literal(value) for name, value in sketch.further.get(title, {}).items()}
        rows[flat(literal(title))] = Sequenced(values | further)
    return Sequenced(rows)


def _classes(sketch: Sketch, indent: int) -> list[str]:
    target, lines = sketch.target, []
    texts = {finding.kind: finding.text for finding in sketch.findings}
    if target.classes:
        lines += comment(SOURCE["classes"].format(codes=" and ".join(map(repr, target.classes))), indent)
        lines.append(laid_out(literal(target.classes), "classes=", indent, ","))
    if target.unnamed_codes:
        lines += comment(texts["target_codes"], indent)
        names = Sequenced({repr(code): '"…"' for code in target.unnamed_codes})
        lines.append(f"{' ' * indent}# classes={flat(names)},")
    if target.positive is not None:
        lines += comment(texts["positive"], indent)
        lines.append(laid_out(literal(target.positive), "positive_class=", indent, ","))
    return lines


def _source(sketch: Sketch) -> str:
    path = sketch.table.path
    if path is None:
        return SOURCE["query"].format(rows=len(sketch.table.frame))
    digest = hashlib.sha256(content_of(path)).hexdigest()
    return SOURCE["file"].format(file=path.name, rows=len(sketch.table.frame), digest=digest[:12])
