"""``irislib new``: from a table to a project of one's own."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from irislib._common.formatting import did_you_mean
from irislib._common.messages.new import COMMAND, ESTIMATOR_FILE
from irislib._common.routes import reserved_names
from irislib._project.column_table import describe_columns
from irislib._project.findings import Finding
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._project.drafting import Draft
    from irislib._project.estimator_source import EstimatorSource
    from irislib._project.project_files import Answers
    from irislib._project.table_source import TableSource

    Made: TypeAlias = tuple[Draft, Answers]  # a draft, and the facts of its project

__all__ = ["add_arguments", "run"]

ASK_AGAIN = 2  # the exit status of a command that says what to type
SHOWN = 8  # kinds of findings
WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = COMMAND["examples"]
    parser.add_argument("name", metavar="NAME", help=COMMAND["name"])
    parser.add_argument("--data", metavar="FILE", help=COMMAND["data"])
    parser.add_argument("--estimator", metavar="FILE", help=COMMAND["estimator"])
    parser.add_argument("--target", metavar="COLUMN", help=COMMAND["target"])
    parser.add_argument("--sql", metavar="QUERY", help=COMMAND["sql"])
    parser.add_argument("--sheet", metavar="NAME", help=COMMAND["sheet"])
    parser.add_argument("--encoding", metavar="NAME", help=COMMAND["encoding"])
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help=COMMAND["output"])
    parser.add_argument("--dry-run", action="store_true", help=COMMAND["dry"])


def run(options: argparse.Namespace) -> int:
    """Make a project, and print what was seen in its data and what to do next.

    Parameters
    ----------
    options : Namespace

    Returns
    -------
    int
        The exit status; 2 if it does not know what to predict and has nobody to ask.
    """
    from irislib._project.project_files import refuse_existing, render_project, write_project
    from irislib._project.table_source import read_table

    name, folder = options.name, options.output / options.name
    _check_name(name)
    refuse_existing(folder)
    if options.data is None and (options.estimator is None or options.sql or options.sheet or options.encoding):
        raise IrislibError(COMMAND["no_data"])
    estimator = _read_estimator(options)
    if estimator is not None and options.data is None:
        about, made = estimator.path.name, _alone(name, estimator, options.target)
    else:
        table = read_table(options.data, sql=options.sql, sheet=options.sheet, encoding=options.encoding)
        target = _choose_target(table, options)
        if target is None:
            return ASK_AGAIN
        about = _name_of(table, options)
        made = _from_table(name, table, target) if estimator is None else _fitted(name, estimator, table, about, target)
    draft, answers = made
    files = render_project(answers)
    model = folder / name.replace("-", "_") / "model.py"
    if options.dry_run:
        print(COMMAND["would"].format(folder=folder))
        print("".join(f"  {path}\n" for path in sorted(files)))
        print(COMMAND["model"].format(path=model), draft.source, sep="\n\n")
    else:
        write_project(folder, files)
        print(COMMAND["made"].format(folder=folder, count=len(files)))
    _report(draft, about, model)
    _report_measure(draft, about)
    if not options.dry_run:
        print("\n" + COMMAND["next"].format(folder=shlex.quote(str(folder)), name=name))
    return 0


def _read_estimator(options: argparse.Namespace) -> EstimatorSource | None:
    """Return the estimator of the command, None if it names none."""
    from irislib._project.estimator_source import read_estimator

    if options.estimator is None:
        return None
    estimator = read_estimator(options.estimator)
    package = options.name.replace("-", "_")
    if any(path.partition("/")[0].removesuffix(".py") == package for path in estimator.modules):
        raise IrislibError(ESTIMATOR_FILE["own_name"].format(module=package))
    return estimator


def _from_table(name: str, table: TableSource, target: Any) -> Made:
    """Draft a model of a table."""
    from irislib._project.drafting import draft_model

    draft = draft_model(name, table, target)
    return draft, _answers(name, table, target, draft)


def _fitted(name: str, estimator: EstimatorSource, table: TableSource, about: str, target: Any) -> Made:
    """Draft a model of a fitted estimator, and measure it."""
    from irislib._project.fitted_drafting import draft_fitted

    draft = draft_fitted(name, estimator, table, about, target)
    return draft, _with_estimator(_answers(name, table, target, draft), estimator)


def _alone(name: str, estimator: EstimatorSource, target: str | None) -> Made:
    """Draft a model of a fitted estimator alone, or with the rows in its file."""
    from irislib._project.fitted_alone import TARGET, draft_alone
    from irislib._project.fitted_source import rows_of_file

    if rows := rows_of_file(estimator):
        if target is not None and target != rows[1]:
            raise IrislibError(ESTIMATOR_FILE["own_target"].format(path=estimator.path, own=rows[1], target=target))
        return _fitted(name, estimator, rows[0], estimator.path.name, rows[1])
    draft = draft_alone(name, estimator, target or TARGET)
    answers = replace(_answers(name, None, target or TARGET, draft), has_rows=False)
    return draft, _with_estimator(answers, estimator)


def _with_estimator(answers: Answers, estimator: EstimatorSource) -> Answers:
    needs = tuple(dict.fromkeys((*answers.requirements, *estimator.requirements)))
    return replace(answers, requirements=needs, estimator=estimator.path, modules=estimator.modules)


def _answers(name: str, table: TableSource | None, target: Any, draft: Draft) -> Answers:
    from irislib._project.project_files import Answers
    from irislib._project.trial import is_better

    model = draft.trial.model
    return Answers(
        name=name,
        title=draft.title,
        model_source=draft.source,
        data=table.path if table is not None else None,
        requirements=table.requirements if table is not None else (),
        example=next(iter(draft.examples.values()), {}),
        target=str(target),
        is_classifier=draft.target.is_classifier,
        beats_baseline=model is not None and model.is_evaluated and is_better(model.evaluation.metrics),
    )


def _check_name(name: str) -> None:
    """Refuse a name that a project cannot have, and suggest one that it can."""
    from irislib._project.names import check_name

    try:
        check_name(name)
    except IrislibError as error:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if plain == name or not plain or plain[0].isdigit():
            raise
        raise IrislibError(COMMAND["suggestion"].format(problem=error, name=plain)) from None
    if name in reserved_names():
        raise IrislibError(COMMAND["reserved"].format(name=name))


def _name_of(table: TableSource, options: argparse.Namespace) -> str:
    return table.path.name if table.path is not None else "the query" if options.sql else Path(options.data).name


def _choose_target(table: TableSource, options: argparse.Namespace) -> Any:
    """Return the column to predict, asking for it on a terminal; None if there is none to ask."""
    names = {str(column): column for column in table.frame.columns}
    if options.target is not None:
        return _find(options.target, names, _name_of(table, options))
    source = _name_of(table, options)
    print(COMMAND["columns"].format(source=source, rows=len(table.frame), count=len(names)))
    print(*describe_columns(table.frame), sep="\n")
    if not sys.stdin.isatty():
        print(COMMAND["no_terminal"].format(command=_as_typed(options)), file=sys.stderr)
        return None
    while True:
        try:
            text = input(f"\n{COMMAND['ask']}").strip()
        except EOFError:
            text = ""
        if not text:
            raise IrislibError(COMMAND["none"])
        try:
            return _find(text, names, source)
        except IrislibError as error:
            print(error)


def _find(text: str, names: dict[str, Any], source: str) -> Any:
    if text in names:
        return names[text]
    hint = did_you_mean(text, list(names))
    raise IrislibError(COMMAND["unknown"].format(source=source, target=text, hint=hint))


def _as_typed(options: argparse.Namespace) -> str:
    parts = ["irislib", "new", options.name, "--data", options.data]
    for option in ("estimator", "sql", "sheet", "encoding"):
        parts += [f"--{option}", getattr(options, option)] if getattr(options, option) else []
    parts += ["--output", str(options.output)] if options.output != Path() else []
    return shlex.join(parts)


def _report(draft: Draft, source: str, model: Path) -> None:
    """Print what was seen, one line for each kind."""
    kinds: dict[str, list[Finding]] = {}
    for finding in draft.findings:
        kinds.setdefault(finding.kind, []).append(finding)
    if not kinds:
        return
    print("\n" + COMMAND["seen"].format(source=source))
    for findings in [*kinds.values()][:SHOWN]:
        more = COMMAND["more"].format(count=len(findings) - 1) if len(findings) > 1 else ""
        print(*textwrap.wrap(findings[0].seen + more, WIDTH, initial_indent="* ", subsequent_indent="  "), sep="\n")
    rest = sum(map(len, [*kinds.values()][SHOWN:]))
    print(COMMAND["rest" if rest else "actions"].format(count=rest, path=model))


def _report_measure(draft: Draft, source: str) -> None:
    """Print why the estimator was chosen, and how well the drafted model does."""
    from irislib._project.trial import describe_measures, is_better

    model = draft.trial.model
    lines = [draft.estimator.reason] if draft.estimator.reason else []
    if model is None:
        lines.append(COMMAND["failed"].format(error=draft.trial.failure))
    elif not model.is_evaluated:
        lines.append(COMMAND["unmeasured"])
    else:
        facts = {"rows": len(model.evaluation.y_true), "measured": describe_measures(model), "source": source}
        lines.append(COMMAND["score_given" if model.is_fitted_elsewhere else "score"].format(**facts))
        if model.is_fitted_elsewhere and not is_better(model.evaluation.metrics):
            lines.append(COMMAND["no_better"].format(target=draft.target.column))
    print()
    for line in lines:
        print(textwrap.fill(line, WIDTH))
