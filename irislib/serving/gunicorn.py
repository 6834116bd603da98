"""``irislib api``: the endpoint alone, under Gunicorn, with every option of Gunicorn's."""

from __future__ import annotations

import argparse
import logging
import os
from typing import Any

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Config
from threadpoolctl import threadpool_limits

from irislib import catalogue, files
from irislib.api import create_app, failing
from irislib.serving import announce_health, default_address, url

__all__ = ["ApiServer", "option_names"]

log = logging.getLogger(__name__)

OURS = ("host", "port", "debug", "model")


class ApiConfig(Config):  # type: ignore[misc]
    """Gunicorn's options and four of ours."""

    def set(self, name: str, value: Any) -> None:
        if name in OURS:  # from GUNICORN_CMD_ARGS
            raise ValueError(f"--{name} is an option of irislib api's own command line, not of Gunicorn's.")
        super().set(name, value)

    def parser(self) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().parser()
        ours = parser.add_argument_group("irislib")
        # SUPPRESS, since whatever else is there is taken for one of Gunicorn's settings
        ours.add_argument("--host", default=argparse.SUPPRESS, help="Address to listen on. [127.0.0.1]")
        ours.add_argument("--port", default=argparse.SUPPRESS, type=int, help="Port to listen on. [5000]")
        ours.add_argument(
            "--debug",
            default=argparse.SUPPRESS,
            action="store_true",
            help="One sync worker, one thread, log level debug; restart when code, the description "
            "of a model, a template or a notebook changes.",
        )
        ours.add_argument(
            "--model",
            default=argparse.SUPPRESS,
            action="append",
            help="A model to serve, as package.module:name; may be repeated.",
        )
        return parser


class ApiServer(WSGIApplication):  # type: ignore[misc]
    """Gunicorn, serving the endpoint."""

    def run(self) -> None:
        # Requests are spread over processes: threads below one row would only get in their way.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        address = self.cfg.address[0]
        if isinstance(address, tuple):  # and not a Unix socket
            announce_health(url(address[0], address[1], "/healthz"))
        super().run()

    def load_default_config(self) -> None:
        self.cfg = ApiConfig(self.usage, prog=self.prog)

    def init(self, parser: argparse.ArgumentParser, opts: argparse.Namespace, args: list[str]) -> dict[str, Any]:
        given = vars(opts)
        host, port, debug, models = (given.pop(name, None) for name in OURS)
        if args:
            parser.error(f"irislib api serves models (--model package.module:name), not {args[0]!r}.")
        addressed = host is not None or port is not None
        if addressed and opts.bind:
            parser.error("Give either --host and --port, or --bind.")
        if models:
            os.environ["IRISLIB_MODEL"] = " ".join(models)
        self.app_uri = "irislib.api:create_app()"
        usual_host, usual_port = default_address()
        host, port = usual_host if host is None else host, usual_port if port is None else port
        settings: dict[str, Any] = {
            "default_proc_name": "irislib",
            "bind": f"{f'[{host}]' if ':' in host else host}:{port}",
            "preload_app": not (debug or opts.reload),  # what is loaded before the fork is not loaded again
        }
        if "control_socket_disable" in self.cfg.settings and not opts.control_socket:
            # It would be a file in the home folder, which a second instance takes and a container may not have
            settings["control_socket_disable"] = True
        if addressed:  # on the command line, thus stronger than a configuration file
            given["bind"] = [settings["bind"]]
        if debug:
            # Into the command line's own values, for those are applied last.
            given.update(workers=1, threads=1, worker_class="sync", loglevel="debug", reload=True)
            given["reload_extra_files"] = [*(opts.reload_extra_files or []), *watched()]
        return settings

    def load(self) -> Any:
        try:
            catalogue.specs()  # brings in every library that has threads of its own
            # Workers are forked from here, and an OpenMP pool started before the fork hangs them.
            with threadpool_limits(1):
                return create_app()
        except Exception:
            if not self.cfg.reload:
                raise
            log.exception("A model could not be loaded; correct it, and the endpoint starts again.")
            return failing("A model could not be loaded; the server's log says why.")


def watched() -> list[str]:
    """What is read but not imported, and what cannot be imported as it stands."""
    folders = [files.share(), files.notebooks()]
    read = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in [*read, *catalogue.sources()]]


def option_names() -> set[str]:
    """Every option of Gunicorn's command line, such as ``--workers``."""
    return {name for setting in Config().settings.values() for name in setting.cli or ()}
