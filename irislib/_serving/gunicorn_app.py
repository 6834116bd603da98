"""``irislib api``: the endpoint alone, under Gunicorn, with every option of Gunicorn's."""

from __future__ import annotations

import argparse
import logging
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gunicorn.util
import psutil
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Config
from threadpoolctl import threadpool_limits

from irislib._common import paths, temporary_folders
from irislib._common.language import parse_languages
from irislib._common.security_headers import headers_for
from irislib._common.settings import api_settings, check_port, setting_value
from irislib._modeling import registry, store
from irislib._modeling.following import look_seconds
from irislib._modeling.references import list_references, source_files
from irislib._modeling.user_errors import log_error
from irislib._prediction_log.options import LogOptions
from irislib._serving import announce_health, is_local, url
from irislib._serving.client_limit import ClientConnections
from irislib._serving.following_arbiter import FollowingApplication, freeze_objects
from irislib._serving.gunicorn_worker import FrontWorker
from irislib._serving.logs import ApiLogger, JsonApiLogger
from irislib._serving.options import add_arguments
from irislib._serving.raw_problems import MAX_REQUEST_LINE, raw_response
from irislib._serving.startup import load_models
from irislib._serving.system_limits import raise_file_limit
from irislib._serving.tls_socket import with_timed_sockets
from irislib.api import Options, create_app, failing
from irislib.api._application import Endpoint
from irislib.api._auth import read_token
from irislib.api._config import BATCH_LIMITS
from irislib.api._hosts import host_names
from irislib.api._metrics import FOLDER

__all__ = ["ApiServer", "option_names"]

log = logging.getLogger(__name__)

WORKER = "irislib._serving.gunicorn_worker.FrontWorker"
THREADS = 4  # for what may take long; the rest needs none
DRAIN_SECONDS = 2
MAX_DRAINED_BYTES = 2**24


class ApiConfig(Config):  # type: ignore[misc]
    """Gunicorn's options and irislib's own."""

    def set(self, name: str, value: Any) -> None:
        if name in api_settings():  # from GUNICORN_CMD_ARGS
            option = name.replace("_", "-")
            raise ValueError(f"--{option} is an option of irislib api's own command line, not of Gunicorn's.")
        super().set(name, value)

    def parser(self) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().parser()
        add_arguments(parser)
        return parser


class ApiServer(WSGIApplication, FollowingApplication):  # type: ignore[misc]
    """Gunicorn, serving the endpoint.

    Attributes
    ----------
    options : Options
        The options of the endpoint.
    models : list of str or None
        The references of the command line; None if the environment or the default decides.
    """

    callable: Any
    models: list[str] | None

    def run(self) -> None:
        raise_file_limit()
        address = self.cfg.address[0]
        if isinstance(address, tuple):  # and not a Unix socket
            announce_health(url(address[0], address[1], "/healthz", "https" if self.cfg.is_ssl else "http"))
        folders = [] if self.cfg.check_config or self.cfg.print_config else self.make_folders()
        self.options.log.hand_over(self.cfg.uid, self.cfg.gid)
        self.master = os.getpid()
        try:
            super().run()
        finally:
            if os.getpid() == self.master:  # and not one of the workers, which come here as well
                for folder in folders:
                    shutil.rmtree(folder, ignore_errors=True)

    def make_folders(self) -> list[Path]:
        """Make the temporary folders of the server, and return them."""
        folders = []
        if not os.environ.get(FOLDER):
            try:
                folders.append(metrics_folder := temporary_folders.make("irislib-metrics-"))
                os.environ[FOLDER] = str(metrics_folder)
                os.chown(metrics_folder, self.cfg.uid, self.cfg.gid)  # the workers' own, who are not who starts them
            except OSError as error:
                log.warning("The workers' metrics are not added up: there is no temporary folder (%s).", error)
        return folders + self.make_copies_folder()

    def load_default_config(self) -> None:
        self.cfg = ApiConfig(self.usage, prog=self.prog)

    def load_config(self) -> None:
        super().load_config()
        self.cfg.set("post_worker_init", chained_hook(prepare_worker, self.cfg.post_worker_init))
        self.cfg.set("when_ready", chained_hook(answer_before_end, self.cfg.when_ready))
        self.cfg.set("ssl_context", with_timed_sockets(self.cfg.ssl_context))

    def init(self, parser: argparse.ArgumentParser, opts: argparse.Namespace, args: list[str]) -> dict[str, Any]:
        values = vars(opts)
        ours = {name: values.pop(name) for name in api_settings() if name in values}
        if args:
            parser.error(f"irislib api serves models (--model package.module:name), not {args[0]!r}.")
        addressed = "host" in ours or "port" in ours
        if addressed and opts.bind:
            parser.error("Give either --host and --port, or --bind.")
        self.app_uri = "irislib.api:create_app()"
        self.models = ours.get("model")
        self.is_stored = "no_store" not in ours
        self.look_seconds = look_seconds(store.default_root(), ours.get("follow")) if self.is_stored else 0.0
        self.max_connections_per_client: int | None = ours.get("max_connections_per_client")
        self.options = endpoint_options(ours)
        host, port = (ours.get(name, setting_value(name)) for name in ("host", "port"))
        check_port(port)
        settings: dict[str, Any] = {
            "default_proc_name": "irislib",
            "bind": f"{f'[{host}]' if ':' in host else host}:{port}",
            "limit_request_line": MAX_REQUEST_LINE,
            "worker_class": WORKER,
            "threads": THREADS,
            "preload_app": not ("debug" in ours or opts.reload),  # what is loaded before the fork is shared
            "logger_class": JsonApiLogger if "json_logs" in ours else ApiLogger,
            "forwarder_headers": "",  # Gunicorn takes SCRIPT_NAME from proxies of this machine, and so from visitors
        }
        if "control_socket_disable" in self.cfg.settings and not opts.control_socket:
            # It would be a file in the home folder, which a second instance takes and a container may not have
            settings["control_socket_disable"] = True
        if addressed:  # on the command line, thus stronger than a configuration file
            values["bind"] = [settings["bind"]]
        if "debug" in ours:
            # Into the command line's own values, for those are applied last.
            values.update(workers=1, threads=1, worker_class="sync", loglevel="debug", reload=True)
            values["reload_extra_files"] = [*(opts.reload_extra_files or []), *watched_files(self.models)]
        return settings

    def client_connections(self) -> ClientConnections:
        """Return what counts the connections of a worker."""
        return ClientConnections(self.max_connections_per_client, self.options.proxies)

    def load(self) -> Any:
        if not self.cfg.reload:
            self.master = os.getpid()  # a daemon has another than the one it was started as
        try:
            specs = registry.load_specs(self.models)  # imports every library that has threads of its own
            # Workers are forked from here, and an OpenMP pool started before the fork hangs them.
            with threadpool_limits(1):
                load_models(specs.values(), self.is_stored)
                app = create_app(self.models and list_references(self.models), options=self.guarded_options())
        except Exception as error:
            if not self.cfg.reload:
                raise
            log_error(log, "A model could not be loaded; correct it, and the endpoint starts again.", error)
            return failing("A model could not be loaded; the server's log says why.")
        app.safe_headers = headers_for()
        self.follow_store(app)
        freeze_objects()
        return app

    def guarded_options(self) -> Options:
        """Return the options; a server that nothing else guards answers to no names but its own."""
        is_private = all(isinstance(address, tuple) and is_local(address[0]) for address in self.cfg.address)
        options: Options = self.options
        return replace(options, hosts=options.hosts or frozenset()) if is_private and not options.token else options

    def reload(self) -> None:
        """Read the options, the descriptions and the models again; what cannot be read stays as it was."""
        previous = self.cfg, self.options, self.models
        try:
            super().reload()
        except SystemExit:  # how Gunicorn ends where its configuration is wrong, having said so
            self.cfg, self.options, self.models = previous
            log.error("The options stay as they were.")
        if self.callable is None:  # each worker loads its own
            return
        try:
            registry.clear(self.models)
            self.callable = self.load()
        except Exception as error:
            log_error(log, "A model could not be loaded again; the models stay as they were.", error)


def endpoint_options(ours: dict[str, Any]) -> Options:
    """Return the endpoint's options: the command line's, else the environment's."""
    fields = {name: name for name in ("cors", "rate_limit", "proxies")}
    fields |= {name: f"max_{name}" for name in BATCH_LIMITS}
    changes = {attribute: ours[name] for attribute, name in fields.items() if name in ours}
    if "public_host" in ours:
        changes["hosts"] = host_names(ours["public_host"])
    if "languages" in ours:
        changes["languages"] = parse_languages(ours["languages"])
    if "token_file" in ours:
        changes["token"] = read_token(ours["token_file"])
    return replace(Options.from_environment(), log=LogOptions.of_server(ours), **changes)


def prepare_worker(worker: Any) -> None:
    """Let the endpoint notify Gunicorn that a worker still works, and its refusals be problems."""
    worker.wsgi.heartbeat = worker.notify
    if isinstance(worker.wsgi, Endpoint):
        worker.wsgi.begin()
        worker.wsgi.processes = processes
    if isinstance(worker.app, ApiServer):  # a worker that is replaced ends after its last batch; the master may end it
        worker.cfg.set("graceful_timeout", max(worker.cfg.graceful_timeout, worker.app.options.batch_seconds))
    is_front = isinstance(worker, FrontWorker)  # which waits for the end of each connection without a thread
    gunicorn.util.write_error = send_problem if is_front else write_problem


def processes() -> dict[str, list[int]]:
    """Return the master and its workers, of which this process is one."""
    with suppress(psutil.Error):
        master = psutil.Process(os.getppid())
        return {"server": [master.pid, *(child.pid for child in master.children())]}
    return {"server": [os.getpid()]}


def send_problem(client: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer a request that Gunicorn could not read or answer, in place of its page of HTML."""
    detail = f"The request is not valid HTTP. {message}".strip() if status < 500 else message or reason
    client.settimeout(DRAIN_SECONDS)
    with suppress(OSError):
        client.sendall(raw_response(status, detail))


def write_problem(client: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer such a request; its client may still be sending, and would see a broken connection if it was closed."""
    send_problem(client, status, reason, message)
    with suppress(OSError):
        client.shutdown(socket.SHUT_WR)
        end, count = time.monotonic() + DRAIN_SECONDS, 0
        while count < MAX_DRAINED_BYTES and time.monotonic() < end and (data := client.recv(65536)):
            count += len(data)


def answer_before_end(server: Any) -> None:
    """Let the workers take the connections that wait before SIGTERM ends them; Gunicorn would reset these.

    It takes half of Gunicorn's graceful timeout at most; the answers have the whole of it.
    """

    def end(number: int, frame: Any) -> None:
        limit = time.monotonic() + server.cfg.graceful_timeout / 2
        while time.monotonic() < limit and select.select(server.LISTENERS, [], [], 0)[0]:
            time.sleep(0.02)
        server.signal(number, frame)

    signal.signal(signal.SIGTERM, end)


def chained_hook(first: Callable[[Any], None], second: Callable[[Any], None]) -> Callable[[Any], None]:
    """Chain a hook of irislib and that of a configuration file."""

    def hook(server: Any) -> None:
        first(server)
        second(server)

    return hook


def watched_files(models: list[str] | None) -> list[str]:
    """Return the files that are read but not imported, and those that cannot be imported as they stand."""
    folders = [paths.jupyter_dir(), paths.notebooks_dir()]
    read = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in [*read, *source_files(models)]]


def option_names() -> set[str]:
    """Return every option of Gunicorn's command line, such as ``--workers``."""
    return {name for setting in Config().settings.values() for name in setting.cli or ()}
