"""``irislib serve``: the apps and the endpoint in one process, at one port."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

import tornado.autoreload
from jinja2 import Environment, FileSystemLoader
from jupyter_server.utils import url_path_join
from prometheus_client import CollectorRegistry
from tornado.ioloop import IOLoop
from tornado.web import GZipContentEncoding, RedirectHandler
from traitlets import Unicode, default
from traitlets.config import Config
from voila.app import Voila
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from irislib import __version__
from irislib._common import json_lines, paths, temporary_folders, tracing
from irislib._common.language import VARIABLE, current_language, parse_languages
from irislib._common.messages import TEXTS
from irislib._common.routes import endpoint_pattern
from irislib._common.settings import SETTINGS, environment_value
from irislib._common.theme import css_properties
from irislib._description.feature_types.text import FILE_LIMIT
from irislib._description.translation import translated
from irislib._modeling import registry, store
from irislib._modeling.following import look_seconds
from irislib._modeling.references import list_references, source_files
from irislib._modeling.user_errors import log_error
from irislib._prediction_log.options import LogOptions
from irislib._serving.app_list import AppList, AppMatcher, NotebookWatch
from irislib._serving.defaults import DEFAULTS, VOILA_PATHS
from irislib._serving.endpoint_container import EndpointContainer
from irislib._serving.handlers import EndpointHandler, HealthHandler, IndexHandler, MissingHandler
from irislib._serving.headers import SafeHeaders, refusal_routes, security_headers, with_headers
from irislib._serving.hub_service import connect_hub, service_config
from irislib._serving.identity import hide_secrets
from irislib._serving.kernel_spec import private_transport
from irislib._serving.kernel_websocket import KERNEL_ROUTES
from irislib._serving.lifecycle import Lifecycle
from irislib._serving.logs import log_to
from irislib._serving.methods import with_methods
from irislib._serving.model_loader import ModelLoader
from irislib._serving.notebook_files import FileMatcher, FileRules, NotebookFileHandler
from irislib._serving.notebooks import AppContents
from irislib._serving.options import environment_config, serve_aliases, serve_flags, trait
from irislib._serving.page_handler import AppHandler
from irislib._serving.page_metrics import REGISTRY, ServerMetrics
from irislib._serving.page_pool import Pages
from irislib._serving.refused_options import check_options
from irislib._serving.request_logs import log_as_json, log_without_queries
from irislib._serving.served_models import find_specs
from irislib._serving.static_files import files_version, static_routes
from irislib._serving.system_limits import raise_file_limit
from irislib._serving.visit_renderer import FAILURE_MARK, SERVER_ERROR
from irislib.api import Options
from irislib.api._auth import checked_token, read_token
from irislib.api._config import BATCH_LIMITS
from irislib.api._problem_details import not_found
from irislib.api._routes import make_app
from irislib.api._trusted_proxies import TrustedProxies
from irislib.errors import IrislibError, StoreError

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["AppServer"]

LOG_SETTINGS = [name for name in SETTINGS if name.startswith("prediction_log")]
MESSAGE_ROOM = 2_000_000  # bytes of a message besides its files


class AppServer(Lifecycle, Voila):  # type: ignore[misc]
    """Voila with a URL for each app, and the endpoint at the same URLs."""

    name = "voila"  # the name of its configuration files
    version = __version__
    description = Unicode("Serve the apps and the endpoint. Voila's own options work too.")
    examples = Unicode("irislib serve --port 8080\nirislib serve --model package.module:spec")
    aliases: ClassVar = {**Voila.aliases, "ip": "Voila.ip", **serve_aliases()}
    flags: ClassVar = {**Voila.flags, **serve_flags()}
    models = trait("model")
    notebooks = trait("notebooks")
    debug_mode = trait("debug")
    token_file = trait("token_file")
    hub_login = trait("hub_login")
    cors = trait("cors")
    frame_ancestors = trait("frame_ancestors")
    rate_limit = trait("rate_limit")
    proxies = trait("proxies")
    max_batch_bytes = trait("max_batch_bytes")
    max_batch_rows = trait("max_batch_rows")
    max_batch_problem_rows = trait("max_batch_problem_rows")
    max_batch_answer_bytes = trait("max_batch_answer_bytes")
    max_batch_seconds = trait("max_batch_seconds")
    max_upload_bytes = trait("max_upload_bytes")
    public_hosts = trait("public_host")
    max_connections_per_client = trait("max_connections_per_client", default_value=None, allow_none=True)
    languages = trait("languages")
    json_logs = trait("json_logs")
    tracing = trait("tracing")
    no_store = trait("no_store")
    follow = trait("follow", default_value=None, allow_none=True)
    prediction_log = trait("prediction_log")
    prediction_log_bytes = trait("prediction_log_bytes")
    prediction_log_days = trait("prediction_log_days")
    prediction_log_batch_rows = trait("prediction_log_batch_rows")
    prediction_log_spool = trait("prediction_log_spool")
    prediction_log_upload_seconds = trait("prediction_log_upload_seconds")

    @default("port_retries")
    def _port_retries(self) -> int:
        return 0

    def initialize(self, argv: list[str] | None = None) -> None:
        raise_file_limit()
        paths.add_to_jupyter_path()
        super().initialize(argv)
        has_own_handlers = bool(self.logging_config)  # type: ignore[has-type]
        if self.json_logs:
            self.logging_config = {"formatters": {"console": {"class": "irislib._common.json_formatter.JsonFormatter"}}}
            json_lines.begin()
            self.log.propagate = False
        if not has_own_handlers:
            self.log.setLevel(self.log_level)  # traitlets makes a record of all debugging, for a handler that drops it
        if self.tracing:
            tracing.begin()
        check_options(self)
        self.headers = security_headers(self)
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
        config.merge(environment_config())
        config.merge(private_transport(self.config.Voila.get("connection_dir_root", "")))
        if self.hub_login:
            config.merge(service_config())
        config.merge(self.config)
        self.update_config(config)

    def init_apps(self) -> None:
        """List the apps, whose models are loaded or trained once the server listens."""
        self.options = self.endpoint_options()
        notebooks = Path(self.notebooks or paths.notebooks_dir()).resolve()
        if not notebooks.exists():
            raise IrislibError(f"--notebooks {notebooks}: there is no such folder or notebook.")
        specs = find_specs(self.models, notebooks)
        self.root_dir = str(notebooks.parent if notebooks.is_file() else notebooks)
        self.app_list = AppList(specs, notebooks, every=bool(self.notebooks) or not self.models)
        self.apps, self.generated = self.app_list.entries, self.app_list.generated
        self.notebook_watch = NotebookWatch(notebooks, self.update_apps)
        configuration = self.voila_configuration
        secrets = [store.local_folder(), *(Path(path) for path in (self.token_file, self.options.log.folder) if path)]
        rules = configuration.file_allowlist, configuration.file_denylist
        self.file_rules = FileRules(self.root_dir, *rules, secrets, self.log)
        resources = configuration.resources
        self.config.VoilaConfiguration.resources = {**resources, "irislib": self.template_facts()}
        log_to(self.log.handlers, self.log.level)
        self.session = temporary_folders.make("irislib-session-")
        self.model_loader = ModelLoader(
            specs.values(),
            not self.no_store,
            self.add_model,
            self.update_models,
            self.replace_model,
            self.models,
            look_seconds(store.default_root(), self.follow) if specs and not self.no_store else 0.0,
        )

    def add_model(self, model: Model) -> None:
        """Let the endpoint answer by a model, and save it in the folder from which visitors' kernels load it."""
        self.endpoint.add_model(model)
        source = None if self.no_store else store.default_root()
        try:
            store.save(model, self.session, compare_files=False, source=source)  # the pages' models are the server's
        except StoreError as error:
            store.note_refusal(model.spec.name, self.session, str(error))
            self.log.warning("%s It is served from memory, and trained again when the server starts.", error)

    def replace_model(self, model: Model) -> None:
        """Let the endpoint and the pages that are opened from now on answer by another version of a model.

        Raises
        ------
        StoreError
            If the pages cannot have it.
        """
        name = model.spec.name
        before = store.current_entry(name, self.session)
        entry = store.publish(model, self.session, compare_files=False, source=store.default_root())
        try:
            self.endpoint.add_model(model)
        except Exception:
            store.rollback(name, self.session)
            raise
        for file in (self.session / name / "versions").iterdir():
            if file.name not in {entry.file, before and before.file}:
                file.unlink()

    async def update_apps(self, files: set[str]) -> None:
        """Serve the notebooks as they are now, some of which have changed."""
        before = self.app_list.paths()
        self.app_list.update()
        after = self.app_list.paths()
        for name in sorted(before - after):
            self.log.info("%s is gone, and so is its page.", name)
        for name in sorted(after - before):
            self.log.info("%s is new, and has a page now.", name)
        self.contents_manager.forget(name for name in files if not Path(self.root_dir, name).exists())
        await self.page_pool.update(files & after, before - after)

    def kernel_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a visitor's kernel, or of the process that one is forked from.

        It is the only way in which a server passes its own settings to another process.
        """
        # Kernels start in the notebooks' folder, but import what the server imports from its own.
        importable = [os.getcwd(), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        models = {SETTINGS["model"].variable: shlex.join(list_references(self.models))}
        return {
            **environment,
            **models,
            VARIABLE: environment.get(VARIABLE) or current_language(),
            FILE_LIMIT: str(self.max_upload_bytes),
            registry.SESSION: str(self.session),
            **self.options.log.to_environment(),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, importable))),
        }

    def endpoint_options(self) -> Options:
        """Return the endpoint's options, without the token: this server checks it before the endpoint is called."""
        token = environment_value("token")
        if self.hub_login:
            self.hub = connect_hub(self, token)
        hide_secrets()
        if self.token_file:
            self.token = read_token(self.token_file)
        elif token and not self.token:
            self.token = checked_token(token, SETTINGS["token"].variable)
        elif self.token:
            checked_token(self.token, "--token")
        advice = f"Send it in parts, or as CSV to `irislib api`, which takes {Options.batch_bytes:,} bytes."
        limits = {name: getattr(self, f"max_{name}") for name in BATCH_LIMITS}
        return Options(
            cors=self.cors,
            rate_limit=self.rate_limit,
            batch_advice=advice,
            languages=parse_languages(self.languages),
            log=LogOptions.of_server({name: getattr(self, name) for name in LOG_SETTINGS}),
            **limits,
        )

    def template_facts(self) -> dict[str, Any]:
        """Return what the page template reads besides the notebook."""
        return {
            "apps": self.app_list.links,
            "texts": TEXTS,  # in the language of each request
            "upload_limit": f"{self.max_upload_bytes / 1e6:g}",
            "message_bytes": self.max_upload_bytes + MESSAGE_ROOM,
            "colours": css_properties(),
            "failed_mark": FAILURE_MARK,
            "voila_files": files_version(self.static_paths),
            "server_error": SERVER_ERROR.format(self.config.VoilaExecutor.cell_error_instruction),
        }

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        folder = Path(self.connection_dir)  # which Voila has made
        temporary_folders.clear_abandoned(folder.parent, "voila_")
        temporary_folders.claim(folder)
        self.contents_manager = AppContents(parent=self)
        self.page_pool = Pages(parent=self)
        pages = Environment(
            loader=FileSystemLoader(paths.jupyter_dir() / "voila" / "templates" / "irislib"), autoescape=True
        )
        pages.globals |= {"apps": self.apps, "translated": lambda spec: translated(spec, current_language())}
        return {
            **settings,
            "contents_manager": self.contents_manager,
            "transforms": [GZipContentEncoding, partial(SafeHeaders, headers=self.headers)],
            "headers": self.headers,
            "irislib_headers": self.headers,
            "xsrf_cookie_kwargs": {"samesite": "Lax"},  # the page's script reads it, so it is not HttpOnly
            "log_function": log_as_json if self.json_logs else log_without_queries,
            "irislib_pages": pages,
            "irislib_look": self.app_list.common_look,
            "irislib_page_pool": self.page_pool,
            "irislib_models": self.model_loader,
            "irislib_app_of": self.app_list.app_of,
            "irislib_debug": self.debug_mode,
            "irislib_batch_bytes": self.max_batch_bytes,
            "websocket_max_message_size": self.max_upload_bytes + MESSAGE_ROOM,
            "irislib_log": self.log,
            "irislib_failures": Counter(),
            "irislib_proxies": self.proxies,
            "irislib_languages": parse_languages(self.languages),
        }

    def init_handlers(self) -> list[Any]:
        prefix = self.server_url.rstrip("/")
        options = replace(self.options, is_guarded=self.identity_provider.auth_enabled)
        wsgi: Any = make_app([], self.app_list.names, options)
        self.endpoint, allowed_methods = wsgi, wsgi.allowed_methods
        self.app.settings["irislib_allowed_methods"] = lambda path: allowed_methods(unquote(path).removeprefix(prefix))
        self.app.settings["irislib_count"] = lambda path, *facts: self.endpoint.count(
            unquote(path).removeprefix(prefix), *facts
        )
        wsgi.page_states, wsgi.refusal_of = self.page_pool.states, self.model_loader.refusal
        wsgi.following = self.model_loader.following
        server_metrics, registry = ServerMetrics(self), CollectorRegistry()
        registry.register(server_metrics)
        wsgi.metrics.more += [REGISTRY, registry]
        wsgi.processes = server_metrics.processes
        if prefix:
            wsgi = DispatcherMiddleware(not_found, {prefix: wsgi})
        if self.proxies:  # the rest of what they forward was read before any handler was chosen
            wsgi = TrustedProxies(wsgi, 0, 0, 0, 0, self.proxies)
        endpoint = EndpointContainer(
            with_headers(wsgi, self.headers), ThreadPoolExecutor(4, "endpoint"), self.endpoint.metrics
        )
        common = {"voila_configuration": self.voila_configuration}
        files = {
            "path": self.root_dir,
            "allowlist": self.voila_configuration.file_allowlist,
            "denylist": self.voila_configuration.file_denylist,
        }
        page = {**common, "endpoint": endpoint, "template_paths": self.template_paths, "config": self.config}

        def absolute(path: str) -> str:
            return str(url_path_join(self.server_url, path))

        rules = [
            *([(re.escape(prefix), RedirectHandler, {"url": self.base_url})] if prefix else []),
            (absolute("/"), IndexHandler, {**common, "endpoint": endpoint}),
            *(
                (absolute(path), *arguments)
                for path, *arguments in [*static_routes(self.static_paths, self.labextensions_path), *KERNEL_ROUTES]
            ),
            (absolute("/healthz"), HealthHandler),
            (absolute(f"/({endpoint_pattern()})"), EndpointHandler, {**common, "endpoint": endpoint}),
            (AppMatcher(self.app_list, absolute("/"), page), AppHandler),
            *(rule for rule in super().init_handlers() if str(rule[0]).startswith(tuple(map(absolute, VOILA_PATHS)))),
            # Voila registers these without its base_url
            *((absolute(path), *arguments) for path, *arguments in self.identity_provider.get_handlers()),
            (FileMatcher(self.file_rules, [absolute("/voila/files/"), absolute("/")]), NotebookFileHandler, files),
            (r".*", MissingHandler, {**common, "endpoint": endpoint}),
        ]
        return [*refusal_routes(self), *((path, with_methods(handler), *kwargs) for path, handler, *kwargs in rules)]

    def start(self) -> None:
        try:
            self.init_apps()
        except Exception as error:
            if not self.debug_mode:
                raise
            log_error(self.log, "A model could not be loaded; correct it, and this server starts again.", error)
            watch(source_files(self.models))
            tornado.autoreload.start()
            IOLoop.current().start()
            return
        if self.debug_mode:
            # files that are read; tornado itself watches imported modules
            watch([*paths.jupyter_dir().rglob("*"), *paths.frontend_files()])
            tornado.autoreload.add_reload_hook(self.stop)
        super().start()


def watch(paths: Iterable[Path]) -> None:
    """Restart the server when one of these files changes."""
    for path in paths:
        if path.is_file():
            tornado.autoreload.watch(str(path))
