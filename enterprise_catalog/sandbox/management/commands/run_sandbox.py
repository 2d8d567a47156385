"""``manage.py run_sandbox``: serve one sandbox on loopback until SIGTERM or SIGINT."""

from __future__ import annotations

import json
import signal
import threading
from argparse import ArgumentTypeError
from dataclasses import fields
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from enterprise_catalog.sandbox.registry import SANDBOXES
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.management.base import CommandParser

    from enterprise_catalog.sandbox.application import SandboxApplication

_LAST_PORT = 65535
_STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class Command(BaseCommand):
    """Prints one JSON line when the sandbox is ready, serves until SIGTERM or SIGINT, and exits with 0.

    The line: ``{"channel": code, "url": base URL, "credentials": {…}, "settings": {…}, "polls": true or false}``.
    Credentials and settings are for a channel configuration. If ``polls`` is true, the LMS polls our feed on ``POST
    /_sandbox/poll``. Wrong usage, such as an unknown channel, exits with 2; a port in use exits with 1.
    """

    help = "Serve a simulated LMS of one vendor on loopback. Keeps all data in memory."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", required=True, metavar="CODE", help=f"one of: {', '.join(SANDBOXES)}")
        parser.add_argument("--port", type=_port, required=True, metavar="N", help="port number; 0 selects a free port")
        parser.add_argument(
            "--knob",
            action="append",
            type=_knob,
            default=[],
            metavar="NAME=NUMBER",
            help="set a numeric value of the sandbox, such as MOODLE's sort_seconds_per_course=0.0004; can be repeated",
        )

    def handle(self, *args: object, channel: str, port: int, knob: list[tuple[str, float]], **options: object) -> None:
        if channel not in SANDBOXES:
            known = ", ".join(SANDBOXES)
            raise CommandError(f"There is no sandbox for the channel {channel!r}; known codes: {known}.", returncode=2)
        sandbox = SANDBOXES[channel]()
        _turn(sandbox, dict(knob))
        server = make_loopback_server(sandbox, port=port)
        announcement = {
            "channel": channel,
            "url": f"http://{HOST}:{server.server_port}",
            "credentials": dict(sandbox.channel_credentials()),
            "settings": dict(sandbox.channel_settings()),
            "polls": sandbox.polls,
        }
        # Blocked before the server's threads start, because threads inherit the mask. Only sigwait then receives them.
        old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            self.stdout.write(json.dumps(announcement))
            self.stdout.flush()
            signal.sigwait(_STOP_SIGNALS)
            server.shutdown()
            thread.join()
        finally:
            server.server_close()
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)


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


def _turn(sandbox: SandboxApplication, knobs: Mapping[str, float]) -> None:
    """Set numeric fields of ``sandbox``.

    Raises:
        CommandError: the sandbox has no numeric field of this name.
    """
    known = {knob.name for knob in fields(sandbox) if knob.init and type(getattr(sandbox, knob.name)) in (int, float)}
    if unknown := sorted(knobs.keys() - known):
        names = ", ".join(sorted(known)) or "none"
        raise CommandError(f"The sandbox has no knob {unknown[0]!r}; its knobs: {names}.", returncode=2)
    for name, value in knobs.items():
        setattr(sandbox, name, type(getattr(sandbox, name))(value))
