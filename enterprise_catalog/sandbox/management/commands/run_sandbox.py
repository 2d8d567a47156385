"""``manage.py run_sandbox``: serve one sandbox on loopback until SIGTERM or SIGINT."""

from __future__ import annotations

import json
import signal
import threading
from argparse import ArgumentTypeError
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError
from pydantic import ValidationError

from enterprise_catalog.sandbox.open_edx.documents import DocumentError, read_lines
from enterprise_catalog.sandbox.registry import SANDBOXES, SERVICES
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.management.base import CommandParser

    from enterprise_catalog.sandbox.application import SandboxApplication, ServiceApplication
    from enterprise_catalog.sandbox.json_objects import Announcement
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

_LAST_PORT = 65535
_STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class Command(BaseCommand):
    """Prints one JSON line when the sandbox is ready, serves until SIGTERM or SIGINT, and exits with 0.

    The line: ``{"channel": code, "url": base URL, "credentials": {…}, "settings": {…}, "polls": true or false}``.
    Credentials and settings are for a channel configuration. If ``polls`` is true, the LMS polls our feed on ``POST
    /_sandbox/poll``. For a service: ``{"service": name, "url": base URL, "credentials": {…}}``, with the credentials of
    its OAuth 2 client. Wrong usage, such as an unknown channel, exits with 2; a port in use exits with 1.
    """

    help = "Serve a simulated LMS of one vendor, or simulated Open edX services, on loopback. Keeps all data in memory."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--channel", metavar="CODE", help=f"one of: {', '.join(SANDBOXES)}")
        which.add_argument("--service", metavar="NAME", help=f"one of: {', '.join(SERVICES)}")
        parser.add_argument("--port", type=_port, required=True, metavar="N", help="port number; 0 selects a free port")
        parser.add_argument(
            "--knob",
            action="append",
            type=_knob,
            default=[],
            metavar="NAME=NUMBER",
            help="set a numeric value of the sandbox, such as MOODLE's sort_seconds_per_course=0.0004; can be repeated",
        )
        parser.add_argument(
            "--data",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="content of a service, one document per line; can be repeated",
        )
        parser.add_argument(
            "--customers", type=Path, metavar="FILE", help="customers of a service: a JSON list of objects with uuid"
        )

    def handle(
        self,
        *args: object,
        channel: str | None,
        service: str | None,
        port: int,
        knob: list[tuple[str, float]],
        data: list[Path],
        customers: Path | None,
        **options: object,
    ) -> None:
        sandbox: ServiceApplication
        if service is None:
            if data or customers:
                option = "--data" if data else "--customers"
                raise CommandError(f"{option} is for a service only.", returncode=2)
            sandbox, about = _channel(str(channel))
        else:
            sandbox, about = _service(service, data, customers)
        _turn(sandbox, dict(knob))
        try:
            server = make_loopback_server(sandbox, port=port)
        except OSError as error:
            raise CommandError(f"Port {port} of {HOST}: {error.strerror}.") from error
        about["url"] = f"http://{HOST}:{server.server_port}"
        # Blocked before the server's threads start, because threads inherit the mask. Only sigwait then receives them.
        old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            self.stdout.write(json.dumps(about))
            self.stdout.flush()
            signal.sigwait(_STOP_SIGNALS)
            server.shutdown()
            thread.join()
        finally:
            server.server_close()
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)


def _channel(code: str) -> tuple[SandboxApplication, Announcement]:
    """Return the sandbox of a channel, and its announcement without the URL.

    Raises:
        CommandError: there is no such sandbox.
    """
    if code not in SANDBOXES:
        known = ", ".join(SANDBOXES)
        raise CommandError(f"There is no sandbox for the channel {code!r}; known codes: {known}.", returncode=2)
    sandbox = SANDBOXES[code]()
    credentials, settings = dict(sandbox.channel_credentials()), dict(sandbox.channel_settings())
    return sandbox, {
        "channel": code,
        "url": "",
        "credentials": credentials,
        "settings": settings,
        "polls": sandbox.polls,
    }


def _service(name: str, data: list[Path], customers: Path | None) -> tuple[OpenEdxSandbox, Announcement]:
    """Return the sandbox of a service with the content of files, and its announcement without the URL.

    Raises:
        CommandError: there is no such sandbox, or the file cannot be read.
    """
    if name not in SERVICES:
        known = ", ".join(SERVICES)
        raise CommandError(f"There is no sandbox for the service {name!r}; known names: {known}.", returncode=2)
    sandbox = SERVICES[name]()
    for file in data:
        try:
            # Not splitlines(): JSON may contain other line separators.
            sandbox.documents.put(read_lines(file.read_text(encoding="utf-8").split("\n")))
        except (OSError, UnicodeDecodeError, DocumentError) as error:
            raise CommandError(f"{file}: {error}", returncode=2) from error
    if customers is not None:
        try:
            sandbox.put_customers(customers.read_bytes())
        except (OSError, ValidationError) as error:
            raise CommandError(f"{customers}: {error}", returncode=2) from error
    credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    return sandbox, {"service": name, "url": "", "credentials": credentials}


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is not a port from 0 to {_LAST_PORT}")
    return int(text)


def _knob(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} does not have the form NAME=NUMBER") from None


def _turn(sandbox: ServiceApplication, knobs: Mapping[str, float]) -> None:
    """Set numeric fields of ``sandbox``; 0 and 1 set a switch.

    Raises:
        CommandError: the sandbox has no numeric field of this name.
    """
    known = {
        knob.name for knob in fields(sandbox) if knob.init and type(getattr(sandbox, knob.name)) in (bool, int, float)
    }
    if unknown := sorted(knobs.keys() - known):
        names = ", ".join(sorted(known)) or "none"
        raise CommandError(f"The sandbox has no knob {unknown[0]!r}; its knobs: {names}.", returncode=2)
    for name, value in knobs.items():
        setattr(sandbox, name, type(getattr(sandbox, name))(value))
