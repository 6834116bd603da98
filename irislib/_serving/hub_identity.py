"""Login by the accounts of a JupyterHub that runs `irislib serve` as a service.

It is built of what JupyterHub documents for services: https://jupyterhub.readthedocs.io/en/stable/reference/services.html
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated

from irislib._common.routes import OPERATOR_SCOPE
from irislib._serving.template_mixin import TemplateMixin

__all__ = ["HubIdentityProvider"]


class HubHandler(TemplateMixin, JupyterHandler):  # type: ignore[misc]
    """A handler of a login, whose errors are irislib's pages."""

    def initialize(self, hub: HubOAuth) -> None:
        """Note the connection to the Hub."""
        self.hub_auth = hub


class HubLoginHandler(HubOAuthenticated, HubHandler):  # type: ignore[misc]
    """Have the Hub ask who a visitor is, and go where the visitor wanted to go, which is a path of this server."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """Begin a login; the Hub leads back here, where it ends."""
        following = self.get_argument("next", "")
        is_own = following.startswith(self.base_url) and not following.startswith("//") and "\\" not in following
        self.redirect((following if is_own else self.base_url) if self.current_user else self.get_login_url())


class HubCallbackHandler(HubOAuthCallbackHandler, HubHandler):  # type: ignore[misc]
    """Take the code of a login from the Hub, as JupyterHub's own handler does."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """End a login."""
        await super().get()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send a page from which a login that has failed begins again, whatever the reason."""
        self.finish(self.render_template("login_failed.html", apps=[]))


class HubLogoutHandler(HubHandler):
    """End the login here and at the Hub."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """Forget the visitor, and let the Hub do so."""
        self.hub_auth.clear_cookie(self)
        self.redirect(self.hub_auth.hub_host + url_path_join(self.hub_auth.hub_prefix, "logout"))


class HubIdentityProvider(IdentityProvider):  # type: ignore[misc]
    """Users and services of a JupyterHub that have its scope for this service.

    A request is refused unless the Hub says whose it is, and that they may come in.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "token": ""})
        self.hub = self.parent.hub
        self.hub.cookie_options = {**self.cookie_options, **self.hub.cookie_options}

    @property
    def auth_enabled(self) -> bool:
        """Every request needs a login or a token."""
        return True

    @property
    def login_available(self) -> bool:
        """There is an address at which a login begins."""
        return True

    def get_handlers(self) -> list[tuple[Any, ...]]:
        """Return the handlers of a login."""
        hub = {"hub": self.hub}
        return [
            ("/login", HubLoginHandler, hub),
            ("/logout", HubLogoutHandler, hub),
            ("/oauth_callback", HubCallbackHandler, hub),
        ]

    async def get_user(self, handler: Any) -> User | None:
        """Return who has sent a request if they may come in; else None, and the handler knows why."""
        handler.may_operate = False
        sent = self.hub.get_token(handler, in_cookie=False) or ""
        if not sent.isprintable():  # it is nobody's, and cannot be sent to the Hub, which would seem to be silent
            return None
        try:
            model = await self.hub.get_user(handler, sync=False)
        except Exception as error:
            self.log.error("The Hub at %s does not say who a visitor is: %s", self.hub.api_url, error)
            handler.refused_status = 503
            return None
        if model is None:
            return None
        if not self.hub.check_scopes(self.hub.access_scopes, model):
            handler.refused_status = 403
            return None
        handler.may_operate = OPERATOR_SCOPE in model["scopes"]
        return User(model["name"])

    def is_token_authenticated(self, handler: Any) -> bool:
        """Tell if a request has a token of somebody who may come in; the Hub knows tokens of others, too."""
        return handler.current_user is not None and bool(super().is_token_authenticated(handler))
