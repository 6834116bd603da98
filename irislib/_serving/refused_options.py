"""Options that `irislib serve` refuses: those of Voila and Jupyter that would have no effect, and impossible values."""

from __future__ import annotations

from typing import Any

from irislib._common.messages.serving import REFUSED, TEXTS
from irislib._common.settings import check_port
from irislib._serving.kernel_manager import AppKernelManager
from irislib.api._hosts import host_names
from irislib.errors import IrislibError

__all__ = ["check_options"]


def check_options(server: Any) -> None:
    """Check the options of a server, from the command line and its configuration files.

    Raises
    ------
    IrislibError
        With the option that would be ignored, and what to use instead, or with a value that it cannot have.
    """
    check_port(server.port)
    host_names(server.public_hosts)
    owners = {"Voila": server, "VoilaConfiguration": server.voila_configuration}
    for option, advice in REFUSED.items():
        section, _, name = option.partition(".")
        options = [*server.config.get(section, {})]
        if not name and options:
            raise IrislibError(TEXTS["option_ignored"].format(option=f"{section}.{options[0]}", advice=advice))
        if name not in options:
            continue
        trait = owners[section].traits()[name]
        expected = AppKernelManager if name == "multi_kernel_manager_class" else trait.default(owners[section])
        if getattr(owners[section], name) != expected:
            raise IrislibError(TEXTS["option_ignored"].format(option=option, advice=advice))
