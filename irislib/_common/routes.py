"""The addresses of the servers: one table behind both servers, the reserved names, OpenAPI and the documentation.

To add an address, add a row to :data:`ROUTES` and a function of the same name to ``irislib/api/_views.py``. Both
servers then answer it, the token guards it, the OpenAPI document and the page at ``/docs`` list it, and no model can
take its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["OPERATOR_SCOPE", "RESERVED", "ROUTES", "Route", "endpoint_pattern", "reserved_names", "server_names"]

# Further first parts of addresses: of Voila, of jupyter_server's login, and kept for later.
RESERVED = ("api", "login", "logout", "oauth_callback", "schema", "static", "voila")
# The scope of a JupyterHub whose users may do what changes a model, where its accounts log in.
OPERATOR_SCOPE = "custom:irislib:operate"


@dataclass(frozen=True)
class Route:
    """An address and a method that it takes.

    Attributes
    ----------
    path : str
        As Flask has it; a path that begins with ``/<name>`` is about one model.
    view : str or callable
        The function that answers it, by its name in ``irislib/api/_views.py``. It takes the
        :class:`~irislib.api._views.Context` and the variable parts of the path.
    method : str, default "GET"
        ``GET``, which answers ``HEAD`` as well, or ``POST``.
    summary : str
        One line for the documentation; ``{title}`` is the model's.
    mimetype : str
        Of the response.
    is_open : bool
        It needs no token: for probes.
    is_monitoring : bool
        It is for probes and scrapers, which no rate limit stops.
    is_page : bool
        ``irislib serve`` answers a ``GET`` itself, with a page for people.
    is_batch : bool
        It takes bodies as large as a batch.
    needs_log : bool
        It is of use where there is a prediction log, and documented there alone.
    needs_token : bool
        It is refused where no token is set, and documented where one is.
    is_for_people : bool
        It is a page with forms or takes one of them, and not documented for programs.

    Notes
    -----
    What the OpenAPI document says besides is in ``irislib/api/_openapi/document.py``.
    """

    path: str
    view: str | Callable[..., Any]
    method: str = "GET"
    summary: str = ""
    mimetype: str = "application/json"
    is_open: bool = False
    is_monitoring: bool = False
    is_page: bool = False
    is_batch: bool = False
    needs_log: bool = False
    needs_token: bool = False
    is_for_people: bool = False

    @property
    def name(self) -> str:
        """The name of its view."""
        return self.view if isinstance(self.view, str) else self.view.__name__

    @property
    def suffix(self) -> str:
        """The path without the model's name."""
        return self.path.removeprefix("/<name>")

    @property
    def is_of_model(self) -> bool:
        """True if it is about one model."""
        return self.path.startswith("/<name>")


ROUTES = [
    Route("/", "index", is_page=True),
    Route("/<name>", "page", summary="The page of {title}", mimetype="text/html", is_page=True),
    Route("/<name>", "predict", "POST", "Predict one row"),
    Route("/<name>/batch", "batch", "POST", "Predict many rows", is_batch=True),
    Route("/<name>/feedback", "feedback", "POST", "Report the right answer to a prediction", needs_log=True),
    Route("/<name>/refresh", "refresh", "POST", "Train {title} again", is_batch=True, needs_token=True),
    Route("/<name>/refresh", "refresh_runs", summary="The last refreshes of {title}", needs_token=True),
    Route("/<name>/refresh/<run>", "refresh_run", summary="A refresh, and how far it is", needs_token=True),
    Route("/<name>/refresh/<run>/cancel", "cancel_refresh", "POST", "Cancel a refresh", needs_token=True),
    Route("/<name>/operator", "operator", mimetype="text/html", needs_token=True, is_for_people=True),
    Route("/<name>/operator", "operator_form", "POST", is_batch=True, needs_token=True, is_for_people=True),
    Route("/<name>/schema", "schema", summary="The JSON Schema of a row", mimetype="application/schema+json"),
    Route("/<name>/card", "card", summary="The model card of {title}", mimetype="text/html"),
    Route("/<name>/insights", "insights", summary="The insights of {title}"),
    Route("/<name>/insights/<insight>", "model_insight", summary="An insight about {title}"),
    Route("/<name>/insights/<insight>", "row_insight", "POST", "An insight about a row"),
    Route("/openapi.json", "openapi", summary="This description, for programs (OpenAPI)"),
    Route("/docs", "docs", summary="This description, for people", mimetype="text/html"),
    Route("/healthz", "healthz", summary="Liveness of the server", is_open=True, is_monitoring=True, is_page=True),
    Route(
        "/readyz",
        "readyz",
        summary="Readiness of the models, and their versions",
        is_open=True,
        is_monitoring=True,
    ),
    Route(
        "/metrics",
        "metrics",
        summary="Numbers for Prometheus: requests, their statuses and durations",
        mimetype="text/plain",
        is_monitoring=True,
    ),
]


def server_names() -> list[str]:
    """Return the names of the addresses that are not about one model."""
    return [route.path[1:] for route in ROUTES if not route.is_of_model and route.path != "/"]


def reserved_names() -> frozenset[str]:
    """Return the names that no model can have, for their addresses are taken."""
    return frozenset((*RESERVED, *(name.partition("/")[0] for name in server_names())))


def endpoint_pattern() -> str:
    """Return a regular expression of the paths, without ``/``, where ``irislib serve`` hands a GET to the endpoint."""
    pages = {route.path for route in ROUTES if route.is_page}
    paths = dict.fromkeys(route.path[1:] for route in ROUTES if route.path not in pages)
    return "|".join(re.sub(r"<\w+>", "[^/]+", re.sub(r"[.+]", r"\\\g<0>", path)) for path in paths)
