"""`irislib serve` as a service of a JupyterHub, which says where both are by environment variables."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import Config

from irislib._common.messages.serving import TEXTS
from irislib.errors import IrislibError

__all__ = ["connect_hub", "service_config"]

# What a service has to know; the Hub sets them for those that it starts.
NEEDED = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_SERVICE_PREFIX")
IDENTITY = "irislib._serving.hub_identity.HubIdentityProvider"


def service_config() -> Config:
    """Return the configuration that makes a server this service.

    Raises
    ------
    IrislibError
        If JupyterHub's library is missing, or it is no service, or none that its Hub reaches.
    """
    if find_spec("jupyterhub") is None:
        raise IrislibError(TEXTS["no_hub_library"])
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        raise IrislibError(TEXTS["no_hub"].format(names=", ".join(missing)))
    voila: dict[str, Any] = {"identity_provider_class": IDENTITY, "base_url": os.environ["JUPYTERHUB_SERVICE_PREFIX"]}
    if address := os.environ.get("JUPYTERHUB_SERVICE_URL"):
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.port:
            raise IrislibError(TEXTS["hub_address"].format(address=address))
        voila |= {"ip": parts.hostname, "port": parts.port}
    return Config({"Voila": voila, "AppServer": {"proxies": 1}})


def connect_hub(server: Any, token: str | None) -> Any:
    """Return the connection to the Hub, before its token is taken out of the environment.

    Parameters
    ----------
    server : AppServer
    token : str, optional
        The one in irislib's own variable.

    Raises
    ------
    IrislibError
        If another option contradicts the Hub.
    """
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    if token or server.token or server.token_file:
        raise IrislibError(TEXTS["hub_and_token"])
    if server.base_url.strip("/") != prefix.strip("/"):
        raise IrislibError(TEXTS["hub_path"].format(prefix=prefix, path=server.base_url))
    from jupyterhub.services.auth import HubOAuth  # half a second that no refusal needs

    hub = HubOAuth(parent=server, base_url=prefix, api_url=os.environ["JUPYTERHUB_API_URL"])
    if not (hub.api_token and hub.access_scopes):
        raise IrislibError(TEXTS["no_hub"].format(names="JUPYTERHUB_OAUTH_ACCESS_SCOPES"))
    return hub
