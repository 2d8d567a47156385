"""A proxy in front of an LMS. Its errors repeat the secrets of a request, as error pages and debuggers do."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from werkzeug import Request, Response

from tests.integrated_channels.secrecy.encodings import ENCODINGS, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: Start of each response. Shows which outputs a response reaches.
ECHOED: Final = "the-lms-echoed"

_HANDED_OUT: Final = re.compile(r'"(?:access_token|refresh_token|token)": ?"([^"]+)"')
#: Fields in which vendors put messages. Each field repeats all secrets of the request.
_FIELDS: Final = ("error", "error_description", "errorcode", "code", "message", "exception", "debuginfo", "title")


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """A response sent instead of the LMS's response."""

    status: int
    is_json: bool = False
    skip: int = 0  #: Number of requests to pass first.


class EchoingProxy:
    """A WSGI application. It detects tokens in responses and adds them to ``secrets``."""

    def __init__(self, application: WSGIApplication) -> None:
        """Pass every request on to ``application`` until :meth:`respond_with` sets an error."""
        self.secrets: set[str] = set()
        self._application = application
        self._error_response: ErrorResponse | None = None
        self._to_skip = 0

    def respond_with(self, error_response: ErrorResponse | None) -> None:
        """Respond to all requests with ``error_response``, after its ``skip`` requests. ``None``: pass all."""
        self._error_response = error_response
        self._to_skip = error_response.skip if error_response else 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()  # Before reading the form, which consumes the body.
        self._learn(request.headers.get("Authorization", "").partition(" ")[2])
        self._learn(request.form.get("assertion", ""))
        if self._error_response is None or self._to_skip:
            self._to_skip = max(self._to_skip - 1, 0)
            response = Response.from_app(self._application, {**environ, "wsgi.input": io.BytesIO(body)})
            for token in _HANDED_OUT.findall(response.get_data(as_text=True)):
                self._learn(token)
        else:
            response = self._repeated(request, self._error_response)
        return response(environ, start_response)

    def _learn(self, secret: str) -> None:
        if secret:
            self.secrets.add(secret)

    def _repeated(self, request: Request, error_response: ErrorResponse) -> Response:
        sent = f"{request.url} {request.headers} {request.get_data(as_text=True)} {request.form.to_dict()}"
        held = sorted((secret for secret in self.secrets if _is_in(sent, secret)), key=len)
        whole = base64.b64encode(sent.encode()).decode()
        said = " ".join([ECHOED, *(spelling for secret in held for spelling in spellings(secret)), whole])
        if error_response.is_json:
            body = dict.fromkeys(_FIELDS, said) | {"errors": [{"message": said, "detail": said, "code": said}]}
            response = Response(json.dumps(body), error_response.status, content_type="application/json")
        else:
            response = Response(f"<p>{said}</p>", error_response.status, content_type="text/html; charset=utf-8")
        header = ENCODINGS["percent-encoded"](" ".join(held))
        response.headers["Location"] = f"/elsewhere?{ECHOED}&{header}"
        response.headers["Set-Cookie"] = f"session={header}"
        response.headers["WWW-Authenticate"] = f'Bearer realm="{ECHOED}", error="{header}"'
        return response


def _is_in(text: str, secret: str) -> bool:
    return any(spelling in text for spelling in spellings(secret))
