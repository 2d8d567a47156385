"""Receivers on the loopback interface: a mail server and an HTTP server that keep what they receive."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from werkzeug import Request, Response

from tests.integrated_channels.loopback_server import on_loopback
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import EmailMessage
    from wsgiref.types import StartResponse, WSGIEnvironment

    from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """An SMTP server that accepts all messages, or replies with an error."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.replies: list[str] = []  #: To the next messages; the server accepts the others.
        self.recipient_reply = ""  #: To each recipient; the server accepts them if it is empty.
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self.controller.port

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if self.recipient_reply:
            return self.recipient_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (its name)
        del server, session
        if self.replies:
            return self.replies.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append(message)
        return "250 OK"


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """Run a mail server until the block ends."""
    server = MailServer()
    server.controller.start()
    try:
        yield server
    finally:
        server.controller.stop()


@dataclass
class HTTPReceiver:
    """A WSGI application that keeps the requests it gets. Thread-safe."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)  #: Headers (lower case) and body.
    responses: list[Response] = field(default_factory=list)  #: To the next requests; the others get 200.
    delay_seconds: float = 0.0  #: Before each response.
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        with self.lock:
            self.requests.append(({name.lower(): value for name, value in request.headers}, request.get_data()))
            response = self.responses.pop(0) if self.responses else Response("ok")
        time.sleep(self.delay_seconds)
        return response(environ, start_response)

    def bodies(self) -> list[Any]:
        """Return the JSON of each request."""
        return [json.loads(body) for _, body in self.requests]

    def is_signed(self, position: int, secret: str) -> bool:
        """Return True if the request has a valid signature, as the documentation describes the check."""
        headers, body = self.requests[position]
        parts = dict(part.split("=", 1) for part in headers["enterprise-catalog-signature"].split(","))
        expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts["v1"])


@contextmanager
def running_http_receiver() -> Iterator[HTTPReceiver]:
    """Run an HTTP receiver until the block ends."""
    receiver = HTTPReceiver()
    with on_loopback(receiver) as url:
        receiver.url = f"{url}/hooks/T0000-secret-path"
        yield receiver
