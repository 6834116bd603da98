"""``irislib drift``: compare a prediction log with the data of a model, for people and for cron."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path

from irislib._common.settings import SETTINGS, environment_value
from irislib._modeling.model import Model
from irislib._prediction_log.drift import DriftReport, drift
from irislib.errors import IrislibError

__all__ = ["DRIFTED", "add_arguments", "run"]

DRIFTED = 3  # the exit status where there is drift; 1 is that of an error
UNITS = {"d": "days", "h": "hours"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    setting = SETTINGS["prediction_log"]
    parser.add_argument(setting.option, metavar="DIR|URL", help=f"the log [{setting.variable}]")
    parser.add_argument("--since", metavar="TIME", help="leave out what is older: 7d, 24h, or 2026-11-28 in UTC")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to draw it, such as drift.png")


def run(model: Model, options: argparse.Namespace) -> int:
    """Print a comparison, and return the exit status.

    Raises
    ------
    IrislibError
        If there is no log, or an option is wrong.
    """
    root = options.prediction_log or environment_value("prediction_log")
    if not root:
        raise IrislibError("Name the folder of the log: --prediction-log DIR.")
    report = drift(model, root, options.since and parse_since(options.since))
    print(report.text)
    if len(report.frame):
        print(table_text(report))
    if options.output:
        try:
            report.plot().savefig(options.output)
        except (OSError, ValueError) as error:
            raise IrislibError(f"{options.output} cannot be written: {error}") from error
    return DRIFTED if report.drifted else 0


def parse_since(text: str) -> dt.datetime:
    """Return the time of ``7d``, ``24h`` or an ISO date.

    Raises
    ------
    IrislibError
        If it is none of these.
    """
    if ago := re.fullmatch(r"(\d{1,5})([dh])", text):
        return dt.datetime.now(dt.UTC) - dt.timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        raise IrislibError(f"--since: give 7d, 24h or a date such as 2026-11-28, not {text!r}.") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def table_text(report: DriftReport) -> str:
    """Return the table of a comparison as text."""
    frame = report.frame.assign(drifted=["yes" if has_drifted else "" for has_drifted in report.frame["drifted"]])
    return str(frame.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3g}"))
