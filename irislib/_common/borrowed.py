"""Names that irislib uses of other packages though they are private, undocumented or overridden by it.

One row per name. A name that *guards* keeps a server safe or correct: without it the server refuses to start.
A name that *saves* makes something faster: without it irislib takes the slower way, and one log line says so.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from irislib.errors import IrislibError

__all__ = ["BORROWED", "Borrowed", "BorrowedNameError", "check", "find_missing", "report_missing"]

log = logging.getLogger(__name__)

Part = Literal["serve", "api", "warm pages", "kernels", "fast form"]


class BorrowedNameError(IrislibError):
    """A name that guards a server is missing from the installed version of a package."""


class Borrowed(NamedTuple):
    """A private or undocumented name of another package.

    Attributes
    ----------
    name : str
        As ``module:attribute``; the attribute may be dotted, such as ``Class.method``.
    part : str
        The part of irislib that uses it, and checks it when it starts.
    kind : str
        ``guards`` or ``saves``.
    module : str
        The module of irislib that uses it.
    why : str
        The purpose, as the end of the sentence "irislib needs it to …".
    source : str
        The line or issue upstream.
    """

    name: str
    part: Part
    kind: Literal["guards", "saves"]
    module: str
    why: str
    source: str


JUPYTER = "https://github.com/jupyter-server/jupyter_server/blob/main/jupyter_server"
CLIENT = "https://github.com/jupyter/jupyter_client/blob/main/jupyter_client"
VOILA = "https://github.com/voila-dashboards/voila/blob/main/voila"
KERNEL = "https://github.com/ipython/ipykernel/blob/main/ipykernel"
TORNADO = "https://github.com/tornadoweb/tornado/blob/master/tornado"
GUNICORN = "https://github.com/benoitc/gunicorn/blob/master/gunicorn"
SKLEARN = "https://github.com/scikit-learn/scikit-learn/blob/main/sklearn"
CPYTHON = "https://github.com/python/cpython/blob/main"

MANAGER = "jupyter_server.services.kernels.kernelmanager:AsyncMappingKernelManager"
VISITOR = "jupyter_server.services.kernels.kernelmanager:ServerKernelManager"
CHANNELS = "jupyter_server.services.kernels.connection.channels:ZMQChannelsWebsocketConnection"
FRAMES = "jupyter_server.services.kernels.connection.base"
IDENTITY = "jupyter_server.auth.identity:PasswordIdentityProvider"
HISTOGRAM = "sklearn.ensemble:HistGradientBoostingClassifier"


def _entries(
    part: Part, kind: Literal["guards", "saves"], module: str, source: str, names: dict[str, str]
) -> Iterator[Borrowed]:
    for name, why in names.items():
        yield Borrowed(name, part, kind, f"irislib.{module}", why, source)


# fmt: off
BORROWED: tuple[Borrowed, ...] = (
    *_entries("serve", "guards", "_serving.kernel_websocket", f"{JUPYTER}/services/kernels/connection/channels.py", {
        f"{CHANNELS}.handle_incoming_message": "drop messages that a page may not send to its kernel",
        f"{CHANNELS}.handle_outgoing_message": "hide the source and the tracebacks of a notebook",
        f"{CHANNELS}.create_stream": "give each connection to a kernel an identity of its own",
        f"{CHANNELS}.on_restart_failed": "show on a page that its kernel has ended",
        f"{CHANNELS}.subprotocol": "read a message in the framing of its connection",
        f"{CHANNELS}._send_status_message": "show on a page that its kernel has ended",
        f"{FRAMES}:deserialize_msg_from_ws_v1": "read which message a page sends",
        f"{FRAMES}:deserialize_binary_message": "read which message a page sends",
        "jupyter_server.services.kernels.handlers:KernelHandler.SUPPORTED_METHODS": "refuse to end another's kernel",
        "jupyter_server.services.kernels.websocket:KernelWebsocketHandler.pre_get": "serve pages that leave early",
    }),
    *_entries("serve", "guards", "_serving.websocket_limits", f"{TORNADO}/websocket.py", {
        "tornado.websocket:WebSocketProtocol13._receive_frame": "read no more from a page than the server can take",
        "tornado.websocket:WebSocketProtocol13._wire_bytes_in": "read no more from a page than the server can take",
    }),
    *_entries("serve", "guards", "_serving.kernel_manager", f"{JUPYTER}/services/kernels/kernelmanager.py", {
        f"{MANAGER}._pending_kernels": "end the kernels that are being started",
        f"{MANAGER}._kernel_connections": "end the kernels that no page is connected to",
        f"{MANAGER}._kernel_ports": "forget a kernel that has ended",
        f"{MANAGER}._kernel_buffers": "limit the messages that are buffered for a page",
        f"{MANAGER}._handle_kernel_died": "notice the end of a kernel",
        f"{MANAGER}.start_buffering": "limit the messages that are buffered for a page",
        f"{MANAGER}.stop_watching_activity": "forget a kernel that has ended",
        f"{MANAGER}.initialize_culler": "end the kernels that no page is connected to",
        f"{MANAGER}.cull_kernels": "end the kernels that no page is connected to",
        f"{MANAGER}.cull_kernel_if_idle": "end the kernels that no page is connected to",
    }),
    *_entries("serve", "guards", "_serving.visitor_kernel", f"{CLIENT}/restarter.py", {
        f"{VISITOR}._restarter": "tell a page that its kernel has ended",
        f"{VISITOR}._default_event_logger": "share one event logger among all kernels",
        "jupyter_client.restarter:KernelRestarter._fire_callbacks": "tell a page that its kernel has ended",
    }),
    *_entries("serve", "guards", "_serving.endpoint_mixin", f"{TORNADO}/web.py", {
        "tornado.web:RequestHandler._finished": "refuse a body that is too large",
        "tornado.web:RequestHandler._headers_written": "answer with an error only before the page has begun",
        "tornado.web:RequestHandler._auto_finish": "hand a request over to the endpoint",
    }),
    *_entries("serve", "guards", "_serving.http_server", f"{TORNADO}/http1connection.py", {
        "tornado.http1connection:HTTP1Connection._request_headers": "answer a body that ends early",
        "tornado.http1connection:HTTP1Connection._read_finished": "answer a body that ends early",
        "tornado.http1connection:HTTP1Connection._response_start_line": "answer a request that is not valid HTTP",
        "tornado.iostream:IOStream._read_buffer": "answer a request whose head is too large",
    }),
    *_entries("serve", "guards", "_serving.endpoint_container", f"{TORNADO}/wsgi.py", {
        "tornado.wsgi:WSGIContainer._log": "log the requests of the endpoint",
    }),
    *_entries("serve", "guards", "_serving.page_handler", f"{VOILA}/tornado/handler.py", {
        "voila.tornado.handler:TornadoVoilaHandler.get_generator": "render a page",
    }),
    *_entries("serve", "guards", "_serving.template_mixin", f"{VOILA}/utils.py", {
        "voila.utils:make_url": "make the addresses of static files",
    }),
    *_entries("serve", "guards", "_serving.visit_renderer", f"{VOILA}/tornado/handler.py", {
        "voila.handler:NotebookRenderer": "end a page that cannot be rendered",
        "voila.notebook_renderer:NotebookRenderer.generate_content_generator": "end a page that cannot be rendered",
    }),
    *_entries("serve", "guards", "_serving.warm_page", f"{VOILA}/utils.py", {
        "voila.utils:get_page_config": "render a page",
        "voila.utils:ENV_VARIABLE": "tell a kernel which page it is for",
    }),
    *_entries("serve", "guards", "_serving.prerender", f"{VOILA}/execute.py", {
        "voila.execute:strip_code_cell_warnings": "hide the warnings of a notebook",
    }),
    *_entries("serve", "guards", "_serving.voila_app", f"{VOILA}/app.py", {
        "voila.app:Voila.init_handlers": "serve the apps' addresses, and only those of Voila's that a page needs",
        "voila.app:Voila.init_settings": "set the headers of all responses",
    }),
    *_entries("serve", "guards", "_serving.lifecycle", f"{VOILA}/app.py", {
        "voila.app:Voila.listen": "warn about an open server, and stop in good order",
        "voila.app:Voila.stop": "end all kernels with the server",
        "voila.app:Voila._handle_signal_stop": "answer what was asked before the server ends",
    }),
    *_entries("serve", "guards", "_serving.http_connections", f"{TORNADO}/http1connection.py", {
        "tornado.httpserver:HTTPServer.conn_params": "end in good order",
        "tornado.http1connection:HTTP1Connection.context": "read the headers of trusted proxies",
        "tornado.iostream:IOStream._total_write_done_index": "close connections whose clients read no answer",
    }),
    *_entries("serve", "guards", "_serving.identity", f"{JUPYTER}/auth/identity.py", {
        f"{IDENTITY}.get_token": "compare tokens in constant time",
        f"{IDENTITY}.process_login_form": "compare tokens in constant time",
        f"{IDENTITY}.set_login_cookie": "set no cookie where no login is needed",
    }),
    *_entries("serve", "guards", "_serving.notebooks", f"{JUPYTER}/services/contents/manager.py", {
        "jupyter_server.services.contents.largefilemanager:LargeFileManager.mark_trusted_cells":
            "write nothing to the home folder",
    }),
    *_entries("serve", "saves", "_common.quick_imports",
           "https://github.com/python-jsonschema/jsonschema/blob/main/jsonschema/_format.py", {
        "jsonschema._format:suppress": "start without building a parser that nobody needs",
    }),
    *_entries("warm pages", "saves", "_serving.prerender", f"{VOILA}/notebook_renderer.py", {
        "voila.notebook_renderer:NotebookRenderer._jinja_kernel_start": "render a page before its visitor comes",
        "voila.notebook_renderer:NotebookRenderer._jinja_cell_generator": "render a page before its visitor comes",
        "voila.execute:VoilaExecutor.should_strip_error": "render a page before its visitor comes",
        "voila.execute:VoilaExecutor.strip_code_cell_errors": "render a page before its visitor comes",
    }),
    *_entries("kernels", "saves", "_forkserver.kernel", f"{CPYTHON}/Modules/atexitmodule.c", {
        "atexit:_clear": "keep a kernel from running the exit functions of its template process",
        "atexit:_run_exitfuncs": "run the exit functions of a kernel",
    }),
    *_entries("kernels", "saves", "_forkserver.kernel", f"{CPYTHON}/Lib/weakref.py", {
        "weakref:finalize._registry": "keep a kernel from removing the temporary folders of its template process",
        "weakref:finalize._exitfunc": "remove the temporary folders of a kernel",
    }),
    *_entries("kernels", "saves", "_forkserver.generators", f"{CPYTHON}/Lib/random.py", {
        "random:_inst": "give each kernel random numbers of its own",
    }),
    *_entries("kernels", "saves", "_forkserver.generators",
           "https://github.com/numpy/numpy/blob/main/numpy/random/mtrand.pyx", {
        "numpy.random:RandomState._bit_generator": "give each kernel random numbers of its own",
    }),
    *_entries("kernels", "saves", "_forkserver.kernel", f"{KERNEL}/ipkernel.py", {
        "ipykernel.ipkernel:sys": "keep a kernel from copying the memory of all modules",
    }),
    *_entries("kernels", "saves", "_forkserver.page_kernel", f"{KERNEL}/kernelbase.py", {
        "ipykernel.kernelbase:Kernel._publish_status": "answer a page sooner",
        "ipykernel.kernelbase:Kernel._parent_ident": "answer a page sooner",
    }),
    *_entries("kernels", "saves", "_forkserver.page_kernel", f"{KERNEL}/kernelapp.py", {
        "ipykernel.kernelapp:IPKernelApp._bind_socket": "start a page's kernel without sockets that it has no use for",
    }),
    *_entries("kernels", "saves", "_forkserver.notebook",
           "https://github.com/jupyter-widgets/ipywidgets/blob/main/python/ipywidgets/ipywidgets/widgets/widget.py", {
        "ipywidgets.widgets.widget:_instances": "draw the widgets of a page before its visitor comes",
    }),
    *_entries("api", "guards", "_serving.gunicorn_app", f"{GUNICORN}/app/base.py", {
        "gunicorn.app.wsgiapp:WSGIApplication.init": "read the options of `irislib api`",
        "gunicorn.app.wsgiapp:WSGIApplication.load_default_config": "add the options of `irislib api` to Gunicorn's",
        "gunicorn.app.wsgiapp:WSGIApplication.load_config": "let long responses keep their worker",
        "gunicorn.app.wsgiapp:WSGIApplication.reload": "keep the models that work at a reload",
        "gunicorn.config:Config.parser": "add the options of `irislib api` to Gunicorn's",
        "gunicorn.config:Config.set": "refuse options that would be ignored",
        "gunicorn.util:write_error": "answer a request that is not valid HTTP by a problem",
        "gunicorn.arbiter:Arbiter.signal": "answer what waits before the server ends",
        "gunicorn.arbiter:Arbiter.LISTENERS": "answer what waits before the server ends",
        "gunicorn.workers.base:Worker.notify": "let long responses keep their worker",
    }),
    *_entries("api", "guards", "_serving.following_arbiter", f"{GUNICORN}/arbiter.py", {
        "gunicorn.app.base:BaseApplication.run": "take new versions from the store",
        "gunicorn.arbiter:Arbiter.manage_workers": "take new versions from the store",
        "gunicorn.arbiter:Arbiter.spawn_worker": "replace the workers for a new version",
        "gunicorn.arbiter:Arbiter.kill_worker": "let the workers of an old version end in good order",
        "gunicorn.arbiter:Arbiter.WORKERS": "replace the workers for a new version",
        "gunicorn.arbiter:Arbiter.num_workers": "replace the workers for a new version",
        "gunicorn.arbiter:Arbiter.worker_age": "replace the workers for a new version",
        "gunicorn.arbiter:Arbiter.reload": "let the workers of before a reload end in good order",
        "gunicorn.arbiter:Arbiter.stop": "end the process that looks at the store",
    }),
    *_entries("api", "saves", "_serving.following_arbiter", f"{CPYTHON}/Modules/atexitmodule.c", {
        "atexit:_run_exitfuncs": "end a worker without copying what the others share",
    }),
    *_entries("api", "guards", "_serving.gunicorn_worker", f"{GUNICORN}/workers/gthread.py", {
        "gunicorn.workers.gthread:ThreadWorker.accept": "give no thread to an idle connection",
        "gunicorn.workers.gthread:ThreadWorker.enqueue_req": "answer a batch by a thread",
        "gunicorn.workers.gthread:ThreadWorker.finish_request": "wait for the next request of a connection",
        "gunicorn.workers.gthread:ThreadWorker.handle": "answer a request that has arrived",
        "gunicorn.workers.gthread:ThreadWorker.murder_keepalived": "close connections that send nothing",
        "gunicorn.workers.gthread:ThreadWorker.method_queue": "answer pipelined requests",
        "gunicorn.workers.gthread:ThreadWorker.nr_conns": "accept no more connections than there are files for",
        "gunicorn.workers.gthread:ThreadWorker.set_accept_enabled": "survive when there are no more files",
        "gunicorn.workers.gthread:ThreadWorker.worker_connections": "leave files to the answers",
        "gunicorn.workers.gthread:ThreadWorker.poller": "receive requests without a thread",
    }),
    *_entries("api", "guards", "_serving.request_scan", f"{GUNICORN}/http/unreader.py", {
        "gunicorn.http.unreader:SocketUnreader.chunk": "let Gunicorn read what has been received",
        "gunicorn.http.unreader:SocketUnreader.mxchunk": "let Gunicorn read what has been received",
        "gunicorn.http.unreader:SocketUnreader.take_buffered": "answer pipelined requests",
    }),
    *_entries("api", "guards", "_serving.logs", f"{GUNICORN}/glogging.py", {
        "gunicorn.glogging:Logger.setup": "log what irislib has to say",
    }),
    *_entries("api", "guards", "api._metrics",
           "https://github.com/prometheus/client_python/blob/master/prometheus_client/values.py", {
        "prometheus_client.values:ValueClass": "let a new worker count on in the files of one that has ended",
        "prometheus_client.values:MmapedDict": "survive a full disk",
        "prometheus_client.values:MultiProcessValue": "let a new worker count on in the files of one that has ended",
    }),
    *_entries("api", "guards", "api._metrics_files",
           "https://github.com/prometheus/client_python/blob/master/prometheus_client/mmap_dict.py", {
        "prometheus_client.mmap_dict:MmapedDict._init_value": "survive a full disk",
        "prometheus_client.mmap_dict:MmapedDict._used": "survive a full disk",
        "prometheus_client.mmap_dict:MmapedDict._capacity": "survive a full disk",
    }),
    *_entries("fast form", "saves", "_compiled.tree_tables", f"{SKLEARN}/ensemble/_gb.py", {
        "sklearn.ensemble:GradientBoostingClassifier._raw_predict_init": "predict one row of a boosting faster",
        "sklearn.ensemble:GradientBoostingClassifier._loss": "predict one row of a boosting faster",
    }),
    *_entries("fast form", "saves", "_compiled.tree_tables",
           f"{SKLEARN}/ensemble/_hist_gradient_boosting/gradient_boosting.py", {
        f"{HISTOGRAM}._preprocessor": "predict one row of a boosting faster",
        f"{HISTOGRAM}._predictors": "predict one row of a boosting faster",
        f"{HISTOGRAM}._loss": "predict one row of a boosting faster",
        f"{HISTOGRAM}._baseline_prediction": "predict one row of a boosting faster",
    }),
    *_entries("fast form", "saves", "_compiled.category_trees",
           f"{SKLEARN}/ensemble/_hist_gradient_boosting/gradient_boosting.py", {
        f"{HISTOGRAM}._bin_mapper": "predict one row of a boosting with categories faster",
    }),
    *_entries("fast form", "saves", "_compiled.smooth", f"{SKLEARN}/svm/_base.py", {
        "sklearn.svm:SVC._gamma": "predict one row of support vectors faster",
        "sklearn.svm:SVC._probA": "predict one row of support vectors faster",
        "sklearn.svm:SVC._probB": "predict one row of support vectors faster",
    }),
    *_entries("fast form", "saves", "_compiled.neighbors", f"{SKLEARN}/neighbors/_base.py", {
        "sklearn.neighbors:KNeighborsClassifier._fit_X": "predict one row by its neighbours faster",
        "sklearn.neighbors:KNeighborsClassifier._y": "predict one row by its neighbours faster",
    }),
    *_entries("fast form", "saves", "_compiled.constants", f"{SKLEARN}/dummy.py", {
        "sklearn.dummy:DummyClassifier._strategy": "answer one row by a dummy faster",
    }),
    *_entries("fast form", "saves", "_compiled.gaussian_processes", f"{SKLEARN}/gaussian_process/_gpr.py", {
        "sklearn.gaussian_process:GaussianProcessRegressor._y_train_mean": "predict a row of a Gaussian process faster",
        "sklearn.gaussian_process:GaussianProcessRegressor._y_train_std": "predict a row of a Gaussian process faster",
    }),
)
# fmt: on


def find_missing(*parts: Part) -> list[Borrowed]:
    """Return the rows of some parts, or of all, whose names the installed packages do not have."""
    return [row for row in BORROWED if (not parts or row.part in parts) and not is_present(row.name)]


def check(*parts: Part) -> list[Borrowed]:
    """Check the names of some parts: log those that only save time, and return their rows.

    Raises
    ------
    BorrowedNameError
        If a name is missing that guards the server.
    """
    missing = find_missing(*parts)
    for row in missing:
        if row.kind == "guards":
            raise BorrowedNameError(report_missing(row))
        log.warning(report_missing(row))
    return missing


def report_missing(row: Borrowed) -> str:
    """Return a sentence about a name that is missing."""
    package = row.name.partition(":")[0].partition(".")[0]
    consequence = (
        "Install the versions in constraints.txt." if row.kind == "guards" else "It takes the slower way instead."
    )
    return f"The installed {package} has no {row.name}, which irislib needs to {row.why}. {consequence}"


def is_present(name: str) -> bool:
    """Return True if a name can be imported, or is an attribute that the methods of its class use."""
    module, _, path = name.partition(":")
    try:
        owner: Any = importlib.import_module(module)
    except ImportError:
        return False
    for attribute in path.split("."):
        if hasattr(owner, attribute):
            owner = getattr(owner, attribute)
        else:
            return isinstance(owner, type) and _is_used(owner, attribute)
    return True


def _is_used(owner: type, attribute: str) -> bool:
    """Return True if any method of a class, or of its bases, uses an attribute, as of one set in ``__init__``."""
    functions = (getattr(value, "__wrapped__", value) for base in owner.__mro__ for value in vars(base).values())
    return any(attribute in function.__code__.co_names for function in functions if hasattr(function, "__code__"))
