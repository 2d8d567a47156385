"""``issue_token``: print a JWT for testing the API by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.local_auth.roles import role_argument
from enterprise_catalog.local_auth.tokens import signed_token

if TYPE_CHECKING:
    from uuid import UUID


class Command(BaseCommand):
    """Prints only the token, for use in a shell's ``$(…)``. Exit code 2 for an unknown role."""

    help = "Print a JWT with the given roles (local settings only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--role",
            action="append",
            type=role_argument,
            required=True,
            metavar="ROLE[:CUSTOMER_UUID]",
            help="may be repeated",
        )
        parser.add_argument("--username", default="local-user")

    def handle(self, *args: object, role: list[tuple[str, UUID | None]], username: str, **options: object) -> None:
        if not settings.LOCAL_SITE:
            raise CommandError("This command works only with local settings. Use create_client instead.", returncode=2)
        roles = [f"{name}:{customer or '*'}" for name, customer in role]
        self.stdout.write(signed_token(username, roles=roles))
