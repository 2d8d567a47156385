"""``create_client``: create an OAuth2 client for a program that reads the catalog API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.local_auth.clients import ClientExistsError, create_client
from enterprise_catalog.local_auth.roles import role_argument

if TYPE_CHECKING:
    from uuid import UUID


class Command(BaseCommand):
    """Prints the client's id and secret as one JSON line. The secret is stored as a hash and only shown here.

    Exit code 1: a client or a user with this name already exists. 2: usage error.
    """

    help = "Create an OAuth2 client with the given roles, and print its secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id", metavar="CLIENT_ID", help="also the name of its user; at most 100 characters")
        parser.add_argument(
            "--role",
            action="append",
            type=role_argument,
            default=[],
            metavar="ROLE[:CUSTOMER_UUID]",
            help="may be repeated; without a customer, the role applies to all customers",
        )
        parser.add_argument(
            "--new-secret", action="store_true", help="give an existing client a new secret, and add the roles"
        )

    def handle(
        self,
        *args: object,
        client_id: str,
        role: list[tuple[str, UUID | None]],
        new_secret: bool,
        **options: object,
    ) -> None:
        if not 0 < len(client_id) <= 100:
            raise CommandError("CLIENT_ID must have 1 to 100 characters.", returncode=2)
        if not (role or new_secret):
            raise CommandError("--role is required: without a role, a client has no access.", returncode=2)
        try:
            secret = create_client(client_id, roles=role, replace=new_secret)
        except ClientExistsError as error:
            raise CommandError(
                f"A client or user {client_id!r} already exists. Choose another name, or use --new-secret to give the"
                " existing client a new secret.",
                returncode=1,
            ) from error
        self.stdout.write(orjson.dumps({"client_id": client_id, "client_secret": secret}).decode())
