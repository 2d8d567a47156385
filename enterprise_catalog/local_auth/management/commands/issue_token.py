"""``issue_token``: print a JWT for trying the API by hand."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from enterprise_catalog.local_auth.tokens import signed_token


def _role(text: str) -> str:
    """Return ``ROLE:CONTEXT``; without a context the role applies to all customers."""
    name, _, context = text.partition(":")
    if name not in settings.SYSTEM_TO_FEATURE_ROLE_MAPPING:
        raise ArgumentTypeError(f"unknown role {name!r}; one of {', '.join(settings.SYSTEM_TO_FEATURE_ROLE_MAPPING)}")
    if context and context != "*":
        try:
            UUID(context)
        except ValueError:
            raise ArgumentTypeError(f"{context!r} is neither a customer's UUID nor *") from None
    return f"{name}:{context or '*'}"


class Command(BaseCommand):
    """Prints the token alone, so that it can stand in a shell's ``$(…)``. Exit code 2 for an unknown role."""

    help = "Print a JWT with the given roles (local settings only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--role", action="append", type=_role, required=True, metavar="ROLE[:CUSTOMER_UUID]", help="may be repeated"
        )
        parser.add_argument("--username", default="local-user")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(signed_token(options["username"], roles=options["role"]))
