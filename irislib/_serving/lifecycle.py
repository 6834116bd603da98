"""The start and the end of ``irislib serve``: the sockets it listens on, and the signals it takes."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
from typing import Any

from jupyter_core.utils import run_sync
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from irislib._common import json_lines
from irislib._common.formatting import join_words
from irislib._common.messages.serving import TEXTS
from irislib._common.page_states import NOT_READY, UNOPENED
from irislib._common.process_memory import return_free_memory
from irislib._modeling.user_errors import log_error, report
from irislib._serving import announce_health, is_local, url, withdraw_health
from irislib._serving.http_connections import AppHTTPServer

__all__ = ["Lifecycle"]

MAX_TITLES = 3


def ready_text(titles: list[str], address: str) -> str:
    """Return the line that says which apps are served, and at which address."""
    key = "ready" if len(titles) == 1 else "ready_all" if 0 < len(titles) <= MAX_TITLES else "ready_many"
    return TEXTS[key].format(titles=join_words(titles), count=len(titles), address=address)


class Lifecycle:
    """Startup and shutdown of an `AppServer`."""

    fatal: Exception | None = None  # for which the server ends
    is_ready = False  # every page could be opened once

    def stop(self: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the second Ctrl-C ends the server at once
        # Voila's own method removes the folder of the sockets while there are kernels that use it
        if asyncio.get_event_loop().is_running():  # in a restart for new code
            run_sync(self.kernel_manager.shutdown_all)()
        else:
            IOLoop.current().run_sync(self.kernel_manager.shutdown_all)
        self.page_pool.end()
        self.model_loader.end()
        self.endpoint.end()
        shutil.rmtree(self.connection_dir, ignore_errors=True)
        shutil.rmtree(self.session, ignore_errors=True)

    def listen(self: Any) -> None:
        try:
            sockets = bind_sockets(self.port, self.ip)
        except OSError as error:
            self.exit_with(
                f"Cannot listen on {self.ip}, port {self.port}: {error.strerror}. Give another one: --port …"
            )
        withdraw_health()
        self.reported: list[Any] = []  # the failures of models that are in the log
        self.address = url("localhost" if is_local(self.ip) else self.ip, self.port, self.base_url)
        self.log.info("%s", TEXTS["starting"].format(address=self.address))
        if not is_local(self.ip) and not self.identity_provider.auth_enabled:
            self.log.warning("Anyone who can reach this machine can use these apps: no token is set (--token-file …).")
        self.ioloop = IOLoop.current()
        self.ioloop.add_callback(self.endpoint.begin)
        self.ioloop.add_callback(self.page_pool.start)
        self.ioloop.add_callback(self.model_loader.start)
        self.ioloop.add_callback(self.notebook_watch.timer.start)
        # as for SIGTERM: a KeyboardInterrupt would interrupt what is running, such as the start of a kernel
        signal.signal(signal.SIGINT, self._handle_signal_stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self.ioloop.add_callback_from_signal(self.ignore_hang_up))
        self.http_server = AppHTTPServer(
            self.app, proxies=self.proxies, max_connections_per_client=self.max_connections_per_client
        )
        self.http_server.add_sockets(sockets)
        if self.open_browser:
            self.launch_browser()
        try:
            self.ioloop.start()
        finally:
            self.stop()
        if self.fatal is not None:
            raise self.fatal
        if self.model_loader.thread.is_alive():  # a training in native code cannot be interrupted, nor waited for
            logging.shutdown()
            os._exit(0)

    def update_models(self: Any) -> None:
        """Prepare the pages of models that are there by now; called in the thread that loads them."""
        self.ioloop.add_callback(self.after_models)

    def after_models(self: Any) -> None:
        """Prepare the pages of models that are there by now; log which could not be trained, and end if no app is left.

        In debug mode the server goes on, and starts again when its code changes.
        """
        self.update_specs()
        self.page_pool.update_models()
        failures = [failure for failure in self.model_loader.failures.values() if failure not in self.reported]
        self.reported += failures
        has_apps = {app.name for app in self.apps} - {*self.model_loader.failures}
        if failures and not (has_apps or self.debug_mode or self.model_loader.is_working):
            self.fatal = failures.pop().error  # which ends the command, as its message
            self.ioloop.stop()
        for failure in failures:
            text = TEXTS["model_failed"].format(title=failure.spec.title, reference=failure.reference)
            if report_text := report(failure.error):
                self.log.error("%s\n%s", text, report_text)
            else:
                log_error(self.log, text, failure.error)

    def update_specs(self: Any) -> None:
        """List the apps again if a model has come with another description, as one that no module describes may."""
        specs = {name: model.spec for name, model in self.model_loader.models.items()}
        if any(self.app_list.specs.get(name) is not spec for name, spec in specs.items()):
            self.app_list.specs |= specs
            self.app_list.update()

    def report_ready(self: Any) -> None:
        """Log the address, and let a container's health check find it, once every page can be opened."""
        states = self.page_pool.states()
        if self.is_ready or {*states.values()} & {*NOT_READY}:
            return
        self.is_ready = True
        return_free_memory()
        announce_health(url(self.ip, self.port, f"{self.base_url}healthz"))
        if titles := [app.title for app in self.apps if states.get(app.name) not in UNOPENED]:
            self.log.info("%s", ready_text(titles, self.address))

    def ignore_hang_up(self: Any) -> None:
        """Go on: the pages of all visitors would end with this server."""
        self.log.info("SIGHUP is ignored: notebooks and models are read when they change, options by a new server.")

    def _handle_signal_stop(self: Any, sig: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the second Ctrl-C ends the server at once
        if not hasattr(self, "ioloop"):  # it does not listen yet
            sys.exit(128 + sig)
        self.ioloop.add_callback_from_signal(self.drain)

    async def drain(self: Any) -> None:
        """Answer what was asked, and end."""
        self.model_loader.ended.set()  # no request waits any longer for a model
        await self.http_server.drain()
        self.ioloop.stop()

    def exit_with(self: Any, message: str) -> None:
        """End the server with a message instead of a traceback."""
        json_lines.report(message) if json_lines.is_on() else print(message, file=sys.stderr)
        self.stop()
        self.exit(1)
