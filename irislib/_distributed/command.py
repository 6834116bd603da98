"""``irislib score``: predictions for all rows of many files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from irislib._common.formatting import format_duration
from irislib._common.messages.scoring import TEXTS
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["add_arguments", "refuse", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads."""
    parser.add_argument(
        "pattern", metavar="FILES", help="CSV or Parquet files: 'in/*.parquet', s3://bucket/in/*.csv.gz"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a folder or a URL for the results")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster: tcp://HOST:8786 [one of this machine]"
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="processes on this machine [one for each core, none for a small table]",
    )
    parser.add_argument("--encoding", default="", help="of CSV files that are not UTF-8, such as cp1252")
    parser.add_argument("--restart", action="store_true", help="score again what is in the folder already")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)


def refuse(arguments: list[str], parser: argparse.ArgumentParser) -> None:
    """Refuse arguments that are left over, which may be the files of a pattern that the shell has replaced by them."""
    if arguments and not arguments[0].startswith("-"):
        raise IrislibError(TEXTS["several"])
    if arguments:
        parser.error(f"unrecognized arguments: {' '.join(arguments)}")


def run(load: Callable[[], Model], options: argparse.Namespace) -> int:
    """Score files, and say what was done. Returns 1 if some could not be scored."""
    if options.scheduler is not None and options.workers is not None:
        raise IrislibError(TEXTS["scheduler_and_workers"])
    try:
        import distributed  # noqa: F401

        from irislib._distributed.scoring import score_files
    except ModuleNotFoundError as error:
        raise IrislibError(TEXTS["dask_missing"].format(name=error.name)) from None
    arguments = options.pattern, options.out, sys.stderr, options.scheduler, options.workers, options.encoding
    outcome = score_files(load(), *arguments, restart=options.restart)
    if outcome.scored:
        rate, count = f"{outcome.scored / outcome.seconds:,.0f}", len(outcome.scored_files)
        facts = {"count": count, "seconds": format_duration(outcome.seconds), "rate": rate, "out": options.out}
        print(TEXTS["done_one" if count == 1 else "done"].format(rows=outcome.scored, **facts))
    elif not outcome.failures:
        key = "done_before_one" if outcome.files == 1 else "done_before"
        print(TEXTS[key].format(count=outcome.files, out=options.out))
    if outcome.wrong:
        key = "wrong_one" if outcome.wrong == 1 else "wrong"
        print(TEXTS[key].format(wrong=outcome.wrong, errors=f"{options.out.rstrip('/')}/errors/"))
    if outcome.failures:
        print(TEXTS["failures"].format(failed=len(outcome.failures), count=outcome.files), file=sys.stderr)
    return 1 if outcome.failures else 0
