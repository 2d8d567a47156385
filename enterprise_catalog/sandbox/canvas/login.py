"""OAuth 2 of the Canvas sandbox: automatic user consent, and token requests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug import Response

from enterprise_catalog.sandbox.application import json_response
from enterprise_catalog.sandbox.canvas.settings import REFRESH_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.sandbox.canvas.settings import CanvasSite

AUTHORIZATION_PAGE = "/login/oauth2/auth"
TOKEN_PAGE = "/login/oauth2/token"


class CanvasLogin:
    """Stores codes and tokens. Refresh tokens never expire and can be reused."""

    def __init__(self, site: CanvasSite) -> None:
        self.access_tokens: dict[str, float] = {}  #: Token -> expiry time in epoch seconds.
        self.refresh_tokens = {REFRESH_TOKEN}
        self.codes: dict[str, str] = {}  #: Authorization code -> the redirect URI that it was issued for.
        self._site = site
        self._secrets_made = 0

    def is_valid(self, access_token: str) -> bool:
        """Return True if the token exists and has not expired."""
        return self.access_tokens.get(access_token, 0.0) > self._site.clock()

    def consent(self, asked: Mapping[str, str]) -> Response:
        """Redirect back with a code, or with an error, as if the user had answered the consent page."""
        if asked.get("client_id") != self._site.client_id:
            return _error("invalid_client", "unknown client", status=401)
        if asked.get("response_type") != "code" or "redirect_uri" not in asked:
            return _error("invalid_request", "response_type or redirect_uri is missing")
        decision = self._decision(asked)
        if "state" in asked:
            decision["state"] = asked["state"]
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}{joint}{urlencode(decision)}"})

    def _decision(self, asked: Mapping[str, str]) -> dict[str, str]:
        scopes = set(asked.get("scope", "").split())
        if self._site.enforced_scopes is not None and not (scopes and scopes <= set(self._site.enforced_scopes)):
            return {"error": "invalid_scope", "error_description": "A requested scope is invalid or unknown."}
        if not self._site.consents:
            return {"error": "access_denied"}
        code = self._new_secret("code")
        self.codes[code] = asked["redirect_uri"]
        return {"code": code}

    def give_token(self, form: Mapping[str, str]) -> Response:
        """Return an access token for a code, which can be used once, or for a refresh token, which can be reused."""
        if form.get("client_id") != self._site.client_id:
            return _error("invalid_client", "unknown client", status=401)
        if form.get("client_secret") != self._site.client_secret:
            return _error("invalid_client", "invalid client", status=401)
        grants: Mapping[str, Callable[[Mapping[str, str]], Response]] = {
            "authorization_code": self._redeem,
            "refresh_token": self._refresh,
        }
        if grant := grants.get(form.get("grant_type", "")):
            return grant(form)
        return _error("unsupported_grant_type", "The grant_type you requested is not currently supported")

    def _redeem(self, form: Mapping[str, str]) -> Response:
        if form.get("redirect_uri", "") != self.codes.pop(form.get("code", ""), None):
            return _error("invalid_grant", "authorization_code not found")
        refresh_token = self._new_secret("refresh token")
        self.refresh_tokens.add(refresh_token)
        return self._issue_token(refresh_token=refresh_token)

    def _refresh(self, form: Mapping[str, str]) -> Response:
        if form.get("refresh_token") not in self.refresh_tokens:
            return _error(self._site.unknown_refresh_token_error, "refresh_token not found")
        return self._issue_token()

    def _issue_token(self, **more: str) -> Response:
        token, seconds = self._new_secret("access token"), self._site.token_seconds
        self.access_tokens[token] = self._site.clock() + seconds
        user = {"id": 42, "name": "Sandbox Administrator", "global_id": "10000000000042"}
        return json_response(
            {"access_token": token, "token_type": "Bearer", "user": user, "expires_in": seconds, **more}
        )

    def _new_secret(self, kind: str) -> str:
        self._secrets_made += 1
        return f"1~{hashlib.sha256(f'{kind} {self._secrets_made}'.encode()).hexdigest()}"


def _error(error: str, description: str, *, status: int = 400) -> Response:
    return json_response({"error": error, "error_description": description}, status=status)
