"""A warm page, and what its rendering and its kernels need of the server."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from voila.utils import ENV_VARIABLE, get_page_config

from irislib._common.language import ENGLISH, VARIABLE
from irislib._forkserver.provisioner import PAGE_VARIABLE
from irislib._serving.prerender import BASE_URL

__all__ = ["WarmPage", "page_environment", "renderer_options"]


@dataclass(eq=False)
class WarmPage:
    """A page whose notebook was run before the visit.

    Attributes
    ----------
    name : str
        The name of its template process; every run has its own.
    html : str
        With `KERNEL_ID` and `BASE_URL` of `prerender` in place of a kernel's id and the path of the server.
    kernel : str
        The name of its kernelspec.
    run : NotebookRun
        Rendered again when there are other apps to link to.
    language : str
    translations : dict of str to WarmPage
        The same page in other languages, by language, each in a template process of its own.
    translating : Lock
        Locked while one of them is made.
    is_retired : bool
        True once another page has taken its position.
    is_resting : bool
        True while it has no processes; see `RestingPages`.
    waking : Lock
        Locked while it gets them back.
    opened_at : float
        When it was last opened, by the monotonic clock.
    bar : tuple
        The apps that it links to.
    spares : deque of str
        Kernels that are ready for it.
    filling : Lock
        Locked while more of them are started.
    """

    name: str
    html: str
    kernel: str
    language: str = ENGLISH
    run: Any = None
    bar: Any = None
    translations: dict[str, WarmPage] = field(default_factory=dict)
    translating: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_retired: bool = False
    is_resting: bool = False
    waking: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened_at: float = float("-inf")
    spares: deque[str] = field(default_factory=deque)
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


def renderer_options(server: Any, path: str) -> dict[str, Any]:
    """Return the options of Voila's renderer for a notebook."""
    settings = server.app.settings
    shared = {"base_url": BASE_URL, "settings": settings, "log": server.log}
    config = get_page_config(**shared, voila_configuration=server.voila_configuration)
    if hook := server.voila_configuration.page_config_hook:
        config = hook(config, **shared, voila_configuration=server.voila_configuration, notebook_path=path)
    config["progressiveRendering"] = False  # nothing is left to be run
    return {
        "voila_configuration": server.voila_configuration,
        "traitlet_config": server.config,
        "template_paths": server.template_paths,
        "config_manager": server.config_manager,
        "contents_manager": server.contents_manager,
        "base_url": BASE_URL,
        "kernel_spec_manager": server.kernel_spec_manager,
        "page_config": config,
        "mathjax_config": settings.get("mathjax_config"),
        "mathjax_url": settings.get("mathjax_url"),
    }


def page_environment(server: Any, page: WarmPage, kernel_id: str) -> dict[str, str]:
    """Return the environment of a kernel of a page."""
    return {
        **os.environ,
        PAGE_VARIABLE: page.name,
        VARIABLE: page.language,
        ENV_VARIABLE.VOILA_KERNEL_ID: kernel_id,
        ENV_VARIABLE.VOILA_BASE_URL: server.base_url,
        ENV_VARIABLE.VOILA_SERVER_URL: server.server_url,
        ENV_VARIABLE.VOILA_APP_PORT: str(server.port),
        ENV_VARIABLE.VOILA_PREHEAT: "False",
    }
