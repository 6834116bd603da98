"""The settings: one table behind options, environment variables, help texts and the tables in ``docs/operating.md``."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from irislib.errors import IrislibError

__all__ = [
    "SETTINGS",
    "Setting",
    "api_settings",
    "check_port",
    "environment_value",
    "reference_tables",
    "secret_variables",
    "serve_settings",
    "setting_value",
]


@dataclass(frozen=True)
class Setting:
    """An option of the command line, an environment variable, or both.

    Attributes
    ----------
    name : str
        Its name in Python; on the command line with hyphens for underscores.
    type : type
        ``str``, ``int``, ``float``, ``bool``, or ``list`` for an option that may be repeated.
    default : Any
        The value of a setting that is nowhere set; None if it is computed.
    help : str
        One or two sentences for the person who runs the server.
    variable : str
        Its environment variable, if it has one.
    api : bool
        ``irislib api`` has it as an option.
    trait : str
        The trait that holds it in ``irislib serve``, as ``Class.name``; empty where that server has no such option.
    short : bool
        ``irislib serve`` has it under its name, too, and not only as ``--Class.name``.
    serve_default : Any
        The default of ``irislib serve`` where it differs.
    default_text : str
        The default in words, where it is computed or would say little.
    secret : bool
        Its value must not reach visitors' kernels, logs or pages.
    """

    name: str
    type: type
    default: Any
    help: str
    variable: str = ""
    api: bool = False
    trait: str = ""
    short: bool = True
    serve_default: Any = None
    default_text: str = ""
    secret: bool = False

    @property
    def option(self) -> str:
        """The setting as an option, such as ``--token-file``."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def serve_option(self) -> str:
        """The setting as an option of ``irislib serve``; empty where that has none."""
        return "" if not self.trait else self.option if self.short else f"--{self.trait}"

    def default_for(self, server: str) -> Any:
        """Return the default of ``serve`` or ``api``."""
        return self.serve_default if server == "serve" and self.serve_default is not None else self.default

    def help_for(self, server: str) -> str:
        """Return the help text with the default and the environment variable."""
        default = self.default_text or readable(self.default_for(server))
        notes = [default, f"or {self.variable}" if self.variable else ""]
        return f"{self.help} [{'; '.join(filter(None, notes))}]"


def readable(value: Any) -> str:
    """Return a default as a person would write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}" if value > 99_999 else str(value)
    return str(value) if value else "none"


_ALL = (
    Setting("host", str, "127.0.0.1", "Address to listen on.", "IRISLIB_HOST", api=True, trait="Voila.ip"),
    Setting("port", int, 5000, "Port to listen on.", "IRISLIB_PORT", api=True, trait="Voila.port"),
    Setting(
        "debug", bool, False,
        "Log everything, and restart when code, the description of a model or a template changes; "
        "under Gunicorn with one sync worker and one thread.",
        api=True, trait="AppServer.debug_mode",
    ),
    Setting(
        "model", list, (), "A model to serve: package.module:name, or a file such as wine.irislib; may be repeated.",
        "IRISLIB_MODEL",
        api=True, trait="AppServer.models", default_text="the example",
    ),
    Setting(
        "notebooks", str, "", "A folder, or a notebook, to serve as apps.",
        trait="AppServer.notebooks", default_text="the notebooks of irislib",
    ),
    Setting(
        "languages", str, "en,de",
        "The languages of the pages; each browser gets the one that it prefers, or else the first.",
        api=True, trait="AppServer.languages",
    ),
    Setting(
        "token", str, "", "The token that visitors and programs need.", "IRISLIB_TOKEN",
        trait="Voila.token", secret=True,
    ),
    Setting(
        "token_file", str, "", "A file with the token that visitors and programs need.",
        api=True, trait="AppServer.token_file",
    ),
    Setting(
        "hub_login", bool, False,
        "Let the accounts of the JupyterHub log in whose service this server is; its address, port and path are those "
        "that the Hub says.",
        trait="AppServer.hub_login",
    ),
    Setting(
        "cors", str, "",
        "Origins, separated by commas, whose pages may call the endpoint, such as https://*.example.org; * for all.",
        "IRISLIB_CORS", api=True, trait="AppServer.cors",
    ),
    Setting(
        "frame_ancestors", str, "",
        "Origins, separated by commas, whose pages may show the apps in a frame, such as https://intranet.example.org.",
        "IRISLIB_FRAME_ANCESTORS", trait="AppServer.frame_ancestors", default_text="the server's own pages alone",
    ),
    Setting(
        "rate_limit", str, "", "The most requests of one address to the endpoint, such as 100/minute.",
        "IRISLIB_RATE_LIMIT", api=True, trait="AppServer.rate_limit", default_text="no limit",
    ),
    Setting(
        "rate_limit_storage", str, "memory://", "Where the requests are counted, such as redis://localhost:6379.",
        "IRISLIB_RATE_LIMIT_STORAGE", default_text="the memory of each worker",
    ),
    Setting(
        "max_upload_bytes", int, 8_000_000, "The most bytes of the files that a page sends to its kernel at once.",
        trait="AppServer.max_upload_bytes",
    ),
    Setting(
        "proxies", int, 0, "The number of proxies in front of this server to trust.",
        api=True, trait="AppServer.proxies", default_text="0; 1 for a service of a JupyterHub",
    ),
    Setting(
        "max_batch_bytes", int, 256_000_000,
        "The largest body of a batch; of JSON at most 16,000,000 are read. `irislib serve` holds it in memory.",
        api=True, trait="AppServer.max_batch_bytes", serve_default=10_000_000,
    ),
    Setting(
        "max_batch_rows", int, 10_000_000, "The most rows of a batch, empty lines included.",
        api=True, trait="AppServer.max_batch_rows", serve_default=1_000_000,
    ),
    Setting(
        "max_batch_problem_rows", int, 1000,
        "The most rows of a batch whose problems are listed in full; for others the answer has their number.",
        api=True, trait="AppServer.max_batch_problem_rows",
    ),
    Setting(
        "max_batch_answer_bytes", int, 2_000_000_000, "The largest answer to a batch; a longer one is broken off.",
        api=True, trait="AppServer.max_batch_answer_bytes", serve_default=200_000_000,
    ),
    Setting(
        "max_batch_seconds", int, 600, "The longest time to work on a batch; one that takes longer is broken off.",
        api=True, trait="AppServer.max_batch_seconds", serve_default=120,
    ),
    Setting(
        "public_host", list, (), "A name by which a proxy calls this server; may be repeated.",
        api=True, trait="AppServer.public_hosts",
    ),
    Setting(
        "max_connections_per_client", int, None,
        "The most connections of one address, of each worker of `irislib api`; 0 for no limit. It does not apply to "
        "trusted proxies (`--proxies`).",
        api=True, trait="AppServer.max_connections_per_client",
        default_text="500; no limit for this machine's own",
    ),
    Setting(
        "json_logs", bool, False, "Write each line of the logs as a JSON object.",
        api=True, trait="AppServer.json_logs",
    ),
    Setting(
        "tracing", bool, False,
        "Send traces by OpenTelemetry's protocol (`pip install 'irislib[tracing]'`); the variables `OTEL_*` say where.",
        api=True, trait="AppServer.tracing",
    ),
    Setting("browser", bool, False, "Open the apps in a browser.", trait="Voila.open_browser"),
    Setting(
        "max_kernels", int, None, "The most visitors' kernels at the same time.",
        trait="AppKernelManager.max_kernels", short=False, default_text="as many as the machine takes",
    ),
    Setting(
        "max_kernels_per_visitor", int, None,
        "The most kernels of one address. Set it to max_kernels where all visitors have the same address, as behind "
        "a proxy without --proxies.",
        trait="AppKernelManager.max_kernels_per_visitor", short=False, default_text="half of max_kernels",
    ),
    Setting(
        "memory_margin", int, None, "Bytes of memory to leave free: no kernel is started beyond it.",
        trait="AppKernelManager.memory_margin", short=False, default_text="5 % of the memory, at least 250 MB",
    ),
    Setting(
        "kernel_memory", int, None, "Bytes of memory that one kernel may have of its own; 0 for no limit.",
        trait="AppKernelManager.kernel_memory", short=False,
        default_text="a quarter of the memory, from 512 MB to 2 GB",
    ),
    Setting(
        "disconnected_timeout", float, 60.0, "Seconds until a kernel ends to which no page is connected.",
        trait="AppKernelManager.disconnected_timeout", short=False,
    ),
    Setting(
        "warm", bool, True, "Fork visitors' kernels from a template process, where the platform can.",
        trait="Pages.warm", short=False,
    ),
    Setting(
        "spares", int, 1, "The kernels of each page that wait for its next visitors.",
        trait="Pages.spares", short=False,
    ),
    Setting(
        "always_warm", int, 1,
        "The pages that have their processes in any case: those that were opened last, or else the first ones.",
        trait="Pages.always_warm", short=False,
    ),
    Setting(
        "rest_after", float, 600.0,
        "Seconds after which any other page ends its processes if nobody opens it; its next visitor waits a bit more.",
        trait="Pages.rest_after", short=False,
    ),
    Setting(
        "no_store", bool, False,
        "Train the models at each start; do not read them from the store, nor store them there.",
        api=True, trait="AppServer.no_store",
    ),
    Setting(
        "follow", float, None,
        "Seconds between two looks at the store for a version that has become current, which is served from then on; "
        "0 for none.",
        "IRISLIB_FOLLOW", api=True, trait="AppServer.follow", default_text="2; 5 of a store at a URL",
    ),
    Setting(
        "prediction_log", str, "",
        "A folder, or its URL (`s3://…`, `gs://…`), in which every prediction is written down, one JSON object a line.",
        "IRISLIB_PREDICTION_LOG", api=True, trait="AppServer.prediction_log", default_text="no log",
    ),
    Setting(
        "prediction_log_bytes", int, 1_000_000_000,
        "The most bytes of all files there: the oldest are deleted for new ones.",
        "IRISLIB_PREDICTION_LOG_BYTES", api=True, trait="AppServer.prediction_log_bytes",
    ),
    Setting(
        "prediction_log_days", int, 90,
        "The days after which a file there is deleted; 0 for never.",
        "IRISLIB_PREDICTION_LOG_DAYS", api=True, trait="AppServer.prediction_log_days",
    ),
    Setting(
        "prediction_log_batch_rows", int, 1000,
        "The most rows of one batch that are written down, evenly spread over it.",
        "IRISLIB_PREDICTION_LOG_BATCH_ROWS", api=True, trait="AppServer.prediction_log_batch_rows",
    ),
    Setting(
        "prediction_log_spool", str, "",
        "The folder of this machine in which a prediction log waits that goes to a URL.",
        "IRISLIB_PREDICTION_LOG_SPOOL", api=True, trait="AppServer.prediction_log_spool",
        default_text="prediction-log/ in the user's data folder",
    ),
    Setting(
        "prediction_log_upload_seconds", int, 60, "The seconds between two uploads of a prediction log to a URL.",
        "IRISLIB_PREDICTION_LOG_UPLOAD_SECONDS", api=True, trait="AppServer.prediction_log_upload_seconds",
    ),
    Setting(
        "max_feedback_bytes", int, 10_000_000, "The most bytes of a file in which the apps store feedback.",
        "IRISLIB_MAX_FEEDBACK_BYTES",
    ),
    Setting(
        "store", str, "", "The folder of the trained models, or its URL (`s3://…`, `gs://…`).", "IRISLIB_STORE",
        default_text="models/ in the user's data folder",
    ),
    Setting(
        "store_keep", int, 20, "The versions of a model to keep, 0 for all; the current one and the one before it are.",
        "IRISLIB_STORE_KEEP",
    ),
    Setting(
        "refresh_margin", float, 0.05,
        "How much worse than the current version a new one may be to take its place: a part of all answers, or of the "
        "mean absolute error.",
        "IRISLIB_REFRESH_MARGIN",
    ),
    Setting(
        "refresh_memory", int, None, "Bytes of memory that `irislib refresh` may have of its own; 0 for no limit.",
        "IRISLIB_REFRESH_MEMORY", default_text="half of the memory",
    ),
    Setting(
        "health_file", str, "",
        "A file to which a server writes its health address, for `python -m irislib.healthcheck`.",
        "IRISLIB_HEALTH_FILE",
    ),
)  # fmt: skip

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}


def api_settings() -> dict[str, Setting]:
    """Return the settings that are options of ``irislib api``, by name."""
    return {name: setting for name, setting in SETTINGS.items() if setting.api}


def serve_settings() -> dict[str, Setting]:
    """Return the settings that are options of ``irislib serve``, by name."""
    return {name: setting for name, setting in SETTINGS.items() if setting.trait}


def secret_variables() -> frozenset[str]:
    """Return the environment variables that hold a secret, which no other process gets."""
    foreign = {"JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"}
    return frozenset({*foreign, *(setting.variable for setting in SETTINGS.values() if setting.secret)})


def environment_value(name: str, environment: Mapping[str, str] | None = None) -> Any:
    """Return the value of a setting's environment variable; None if it is not set or empty.

    Raises
    ------
    IrislibError
        If a number was expected.
    """
    setting = SETTINGS[name]
    text = (os.environ if environment is None else environment).get(setting.variable, "").strip()
    if not text:
        return None
    if setting.type is list:
        return split_list(text) or None
    if setting.type is int:
        if not text.isdecimal():
            raise IrislibError(f"{setting.variable} must be a number, got {text!r}.")
        return int(text)
    if setting.type is float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise IrislibError(f"{setting.variable} must be a number, got {text!r}.")
        return number
    return text


def check_port(port: int) -> None:
    """Raise IrislibError for a number that is no port, of which a system may take the last 16 bits."""
    if not 0 <= port <= 65_535:
        raise IrislibError(f"--port must be at most 65535, got {port}.")


def setting_value(name: str) -> Any:
    """Return the value of a setting: that of its environment variable, else the default."""
    value = environment_value(name)
    return SETTINGS[name].default if value is None else value


def split_list(text: str) -> list[str]:
    """Split a list at commas and spaces; what holds one of them is in quotes, as in a shell."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.whitespace += ","
    try:
        return list(lexer)
    except ValueError as error:
        raise IrislibError(f"{text!r} is no list: {error}.") from None


def reference_tables() -> str:
    """Return the tables of ``docs/operating.md``, each with its title."""
    options = [setting for setting in _ALL if setting.api or setting.trait]
    both = [s for s in options if s.trait and (s.api or s.secret)]  # a token is in the environment of either
    parts = [
        ("Of both servers", both),
        ("Of `irislib serve`", [s for s in options if s.trait and s not in both]),
        ("Of `irislib api`", [s for s in options if not s.trait]),
        ("In the environment alone", [s for s in _ALL if s not in options]),
    ]
    return "\n".join(f"### {title}\n\n{_markdown_table(settings)}" for title, settings in parts if settings)


def _markdown_table(settings: list[Setting]) -> str:
    head = "| option | environment | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_cells(setting))} |\n" for setting in settings)


def _cells(setting: Setting) -> list[str]:
    options = [setting.option] if setting.api else []
    if setting.serve_option and setting.serve_option not in options:
        options.append(setting.serve_option)
    default = setting.default_text or readable(setting.default)
    if setting.serve_default is not None:
        default += f"; `irislib serve`: {readable(setting.serve_default)}"
    variable = f"`{setting.variable}`" if setting.variable else ""
    secret = " An option of `irislib serve` alone. Secret: no kernel, log or page has it." if setting.secret else ""
    return [", ".join(f"`{option}`" for option in options), variable, default, setting.help + secret]
