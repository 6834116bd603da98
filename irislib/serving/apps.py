"""``irislib serve``: the apps and the endpoint in one process, at one port."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import tornado.autoreload
from jinja2 import Environment, FileSystemLoader
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import RedirectHandler
from tornado.wsgi import WSGIContainer
from traitlets import Bool, List, Unicode, default
from traitlets.config import Config
from voila.app import Voila
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from irislib import __version__, catalogue, files, store
from irislib.api import create_app
from irislib.errors import IrislibError, StoreError
from irislib.serving import announce_health, default_address, url
from irislib.serving.handlers import (
    FAILED,
    AppHandler,
    HealthHandler,
    IndexHandler,
    MissingHandler,
    TemplateFilesHandler,
    log_without_queries,
)
from irislib.texts import TEXTS

__all__ = ["AppServer"]

# Voila's addresses that a page needs; its notebook tree, renderer, contents and files are left out.
NEEDED = ("/api/kernels", "/voila/static", "/voila/api/themes", "/voila/api/shutdown",
          "/voila/labextensions", "/voila/query", "/voila/execution")  # fmt: skip

# Weaker than what an operator gives on the command line or in a voila.json.
DEFAULTS = {
    "VoilaConfiguration": {
        "template": "irislib",
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        # What a page of widgets has no use for; another widget library's extension is still loaded.
        "extension_denylist": ["@jupyter-notebook/lab-extension", "jupyterlab_pygments"],
        "kernel_spec_manager_class": "irislib.serving.kernels.AppKernelSpecManager",
    },
    "VoilaExecutor": {"cell_error_instruction": "The server's log says what happened."},
    "MappingKernelManager": {"cull_idle_timeout": 300, "cull_interval": 60},
}


# What Voila shows in place of a cell where not the notebook failed but the way to its kernel.
SERVER_ERROR = "An exception occurred at the server (not the notebook). {}"


class AppContents(LargeFileManager):  # type: ignore[misc]
    """The notebooks of a folder, and those made for models that have none."""

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        """No need: outputs are never shown as stored, and keeping signatures would write to the home folder."""

    def get(self, path: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        made = self.parent.made.get(path.strip("/"))
        if made is None:
            return super().get(path, *args, **kwargs)  # type: ignore[no-any-return]
        return {"type": "notebook", "path": path, "content": nbformat.from_dict(made)}


class AppServer(Voila):  # type: ignore[misc]
    """Voila with an address of its own for each app, and the endpoint behind the same addresses."""

    name = "voila"  # the name of its configuration files
    version = __version__
    description = Unicode("Serve the apps and the endpoint. Voila's own options work too.")
    examples = Unicode("irislib serve --port 8080\nirislib serve --model package.module:spec")
    aliases: ClassVar = {
        **Voila.aliases,
        "host": "Voila.ip",
        "ip": "Voila.ip",
        "model": "AppServer.models",
        "notebooks": "AppServer.notebooks",
    }
    flags: ClassVar = {
        **Voila.flags,
        "debug": (
            {"AppServer": {"debug_mode": True, "log_level": logging.DEBUG}},
            "Log everything, and restart when code, a notebook or the template changes.",
        ),
        "browser": ({"Voila": {"open_browser": True}}, "Open the apps in a browser."),
    }
    models = List(Unicode(), config=True, help="A model to serve, as package.module:name; may be repeated.")
    notebooks = Unicode(config=True, help="A folder, or a notebook, to serve as apps.")
    debug_mode = Bool(False, config=True, help="Restart when code, a notebook or the template changes.")

    @default("ip")
    def _ip(self) -> str:
        return default_address()[0]

    @default("port")
    def _port(self) -> int:
        return default_address()[1]

    @default("open_browser")
    def _open_browser(self) -> bool:
        return False

    @default("port_retries")
    def _port_retries(self) -> int:
        return 0

    def initialize(self, argv: list[str] | None = None) -> None:
        files.announce()
        super().initialize(argv)
        self.base_url: str = f"/{self.base_url.strip('/')}/".replace("//", "/")
        if self.debug_mode:
            self.autoreload = True

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        super().parse_command_line(argv)
        if len(self.extra_args) > 1:
            raise IrislibError(f"Give one folder or notebook, not {' and '.join(self.extra_args)}.")
        if self.extra_args:
            self.notebooks = self.extra_args.pop()

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        super().load_config_file(*args, **kwargs)
        config = Config(DEFAULTS)
        if sockets_fit(self.connection_dir_root):
            config.KernelManager.transport = "ipc"  # files of the operator's own, where TCP is open to all users
        config.merge(self.config)
        self.update_config(config)

    def init_apps(self) -> None:
        """Load every model, and lay it where the visitors' kernels find it."""
        os.environ.pop("IRISLIB_STARTED_WITH", None)  # another server's, or ours before a restart
        if self.models:
            os.environ["IRISLIB_MODEL"] = " ".join(self.models)
        chosen = bool(os.environ.get("IRISLIB_MODEL"))
        specs = catalogue.specs()
        place = Path(self.notebooks or files.notebooks()).resolve()
        if not place.exists():
            raise IrislibError(f"--notebooks {place}: there is no such folder or notebook.")
        self.root_dir = str(place.parent if place.is_file() else place)
        self.apps = catalogue.apps(specs, place, every=bool(self.notebooks) or not chosen)
        given = self.voila_configuration.resources
        self.config.VoilaConfiguration.resources = {**given, "irislib": self.told()}
        self.made = {path_of(app): notebook_for(app) for app in self.apps if app.notebook is None}
        self.loaded = [catalogue.load(spec) for spec in specs.values()]
        self.session = Path(tempfile.mkdtemp(prefix="irislib-"))
        for model in self.loaded:
            try:
                store.save(model, self.session)
            except StoreError as error:
                self.log.warning("%s Each visitor's page will train it anew.", error)
        os.environ["IRISLIB_STARTED_WITH"] = str(self.session)
        # Kernels start in the notebooks' folder, but import what the server imports from its own.
        paths = [os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))

    def told(self) -> dict[str, Any]:
        """What our template reads besides the notebook."""
        return {
            "apps": [{"name": app.name, "title": app.title} for app in self.apps],
            "texts": TEXTS,
            "failed_mark": FAILED,
            "server_error": SERVER_ERROR.format(self.config.VoilaExecutor.cell_error_instruction),
        }

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        self.contents_manager = AppContents(parent=self)
        pages = Environment(loader=FileSystemLoader(files.share() / "voila" / "templates" / "irislib"), autoescape=True)
        pages.globals["apps"] = self.apps
        return {
            **settings,
            "contents_manager": self.contents_manager,
            "compress_response": True,
            "log_function": log_without_queries,
            "irislib_pages": pages,
            "irislib_failures": Counter(),
        }

    def init_handlers(self) -> list[Any]:
        pages = [app.name for app in self.apps]
        prefix = self.server_url.rstrip("/")
        wsgi: Any = create_app(self.loaded, pages)
        if prefix:
            wsgi = DispatcherMiddleware(NotFound(), {prefix: wsgi})
        endpoint = WSGIContainer(wsgi, ThreadPoolExecutor(4, "endpoint"))
        common = {"voila_configuration": self.voila_configuration}
        page = {**common, "endpoint": endpoint, "template_paths": self.template_paths, "config": self.config}

        def at(path: str) -> str:
            return str(url_path_join(self.server_url, path))

        return [
            *([(re.escape(prefix), RedirectHandler, {"url": self.base_url})] if prefix else []),
            (at("/"), IndexHandler, {**common, "endpoint": endpoint}),
            (at("/voila/templates/(.*)"), TemplateFilesHandler),
            (at("/healthz"), HealthHandler),
            *(
                (at(f"/{re.escape(app.name)}"), AppHandler, {**page, "notebook_path": path_of(app)})
                for app in self.apps
            ),
            *(rule for rule in super().init_handlers() if str(rule[0]).startswith(tuple(map(at, NEEDED)))),
            # Voila registers these without its base_url
            *((at(path), *rest) for path, *rest in self.identity_provider.get_handlers()),
            (r".*", MissingHandler, {**common, "endpoint": endpoint}),
        ]

    def start(self) -> None:
        try:
            self.init_apps()
        except Exception:
            if not self.debug_mode:
                raise
            self.log.exception("A model could not be loaded; correct it, and this server starts again.")
            watch(catalogue.sources())
            tornado.autoreload.start()
            IOLoop.current().start()
            return
        if self.debug_mode:
            # what is read; tornado itself watches all that is imported
            watch([*Path(self.root_dir).glob("*.ipynb"), *files.share().rglob("*"), *files.fronts()])
            tornado.autoreload.add_reload_hook(self.stop)
        super().start()

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.session, ignore_errors=True)

    def listen(self) -> None:
        try:
            for sock in bind_sockets(self.port, self.ip, family=socket.AF_UNSPEC):
                sock.close()
        except OSError as error:
            self.exit_with(
                f"Cannot listen on {self.ip}, port {self.port}: {error.strerror}. Give another one: --port …"
            )
        mine = self.ip in ("localhost", "::1") or self.ip.startswith("127.")
        announce_health(url(self.ip, self.port, f"{self.base_url}healthz"))
        self.log.info("Open %s", url("localhost" if mine else self.ip, self.port, self.base_url))
        if not mine and not self.identity_provider.auth_enabled:
            self.log.warning("Anyone who can reach this machine can use these apps: no token is set (--token …).")
        super().listen()

    def exit_with(self, message: str) -> None:
        """End with one sentence instead of a traceback."""
        print(message, file=sys.stderr)
        self.stop()
        self.exit(1)


def sockets_fit(folder: str) -> bool:
    """Whether the path of a kernel's socket below this folder is one that the system allows."""
    longest = Path(folder) / "voila_12345678" / f"kernel-{'0' * 36}-ipc-1"
    return hasattr(socket, "AF_UNIX") and len(str(longest)) < 104  # the least of Linux's and macOS's limits


def path_of(app: catalogue.App) -> str:
    """The notebook of an app, below the folder of notebooks."""
    return app.notebook.name if app.notebook else f"{app.name}.ipynb"


def watch(paths: Iterable[Path]) -> None:
    """Start again when one of these files changes."""
    for path in paths:
        if path.is_file():
            tornado.autoreload.watch(str(path))


def notebook_for(app: catalogue.App) -> dict[str, Any]:
    """The page of a model that has no notebook of its own."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(f'import irislib\n\nirislib.app(irislib.load("{app.name}"))')],
        metadata={
            "title": app.title,
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        },
    )
    return dict(notebook)
