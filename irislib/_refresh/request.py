"""The request for a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.messages.refresh import TEXTS
from irislib._modeling.fitted import FittedSpec
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["Request", "check_request"]


@dataclass(frozen=True)
class Request:
    """The wishes of the one who refreshes a model.

    Attributes
    ----------
    file : Path or None
        New rows; None for what ``load_data`` returns now.
    replaces : bool
        The new rows take the place of all data, instead of being appended.
    skips_bad_rows : bool
        Rows that are not valid are left out, instead of an error.
    note : str
    is_forced : bool
        The version is served even if the gate refuses it.
    file_name : str
        The name of the file for people; its path if empty.
    """

    file: Path | None = None
    replaces: bool = False
    skips_bad_rows: bool = False
    note: str = ""
    is_forced: bool = False
    file_name: str = ""

    @property
    def title(self) -> str:
        """The name of the file with the new rows; empty without one."""
        return self.file_name or ("" if self.file is None else self.file.name)


def check_request(spec: ModelSpec, request: Request) -> None:
    """Raise IrislibError if a request is contradictory, or the model cannot be trained."""
    if isinstance(spec, FittedSpec):
        raise IrislibError(TEXTS["fitted_file" if spec.origin else "fitted"].format(title=spec.title))
    if request.is_forced and not request.note.strip():
        raise IrislibError(TEXTS["note"])
    if request.skips_bad_rows and not request.title:
        raise IrislibError(TEXTS["skip"])
