"""Authentication of visitors and programs."""

from __future__ import annotations

import os
from typing import Any

import tornado.autoreload
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler
from traitlets import default
from voila.voila_identity_provider import VoilaLoginHandler

from irislib._common.settings import secret_variables
from irislib.api._auth import is_token

__all__ = ["TokenIdentityProvider", "hide_secrets"]

SECRETS = secret_variables()


def hide_secrets() -> None:
    """Remove tokens from the environment of this process and its children, until the server restarts."""
    secrets = {name: os.environ.pop(name) for name in SECRETS if name in os.environ}
    tornado.autoreload.add_reload_hook(lambda: os.environ.update(secrets))


class LoginHandler(VoilaLoginHandler):  # type: ignore[misc]
    """The login page; the address to go to next is one of this server, or as a browser has it behind a proxy."""

    def get_argument(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return an argument of the request, as Tornado does."""
        value = super().get_argument(name, *args, **kwargs)
        if name == "next" and value.startswith("/") and not value.startswith(("//", self.base_url)):
            value = self.base_url.removesuffix(self.settings["base_url"]) + value
        return value


class LogoutHandler(JupyterHandler):  # type: ignore[misc]
    """End a login, and go where the next one begins; jupyter_server's page needs files that Voila does not have."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """End the login."""
        self.identity_provider.clear_login_cookie(self)
        self.redirect(self.get_login_url() if self.login_available else self.base_url)


class TokenIdentityProvider(PasswordIdentityProvider):  # type: ignore[misc]
    """jupyter_server's identity provider, with a constant-time comparison of tokens."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "login_handler_class": LoginHandler})  # Voila gives its own

    @default("logout_handler_class")
    def _logout_handler_class(self) -> type:
        return LogoutHandler

    def set_login_cookie(self, handler: Any, user: Any) -> None:
        """Set the cookie of a login, unless no login is needed."""
        if self.auth_enabled:
            super().set_login_cookie(handler, user)

    def get_token(self, handler: Any) -> str | None:
        """Return the token of a request if it is correct, else None.

        One in the address is that of the server before this one where that passes it on, with its own in a header.
        """
        scheme, _, sent = handler.request.headers.get("Authorization", "").partition(" ")
        tokens = [super().get_token(handler), sent.strip() if scheme.lower() in ("token", "bearer") else ""]
        return next((token for token in tokens if token and is_token(token, self.token)), None)

    def process_login_form(self, handler: Any) -> Any:
        """Authenticate a visitor who has typed the token or the password."""
        typed = handler.get_argument("password", default="")
        if self.auth_enabled and not self.hashed_password and not is_token(typed, self.token):
            return None
        return super().process_login_form(handler)
