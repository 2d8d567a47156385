"""``rotate_credentials``: encrypt all credentials with the newest key, so that older keys can be removed."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from enterprise_catalog.integrated_channels.access.configurations import rotate_credentials


class Command(BaseCommand):
    """Prints the number of encrypted credentials.

    Exit code 1: no key can decrypt some credentials; their configurations are named on stderr.
    """

    help = "Encrypt all credentials with the newest key in CREDENTIALS_ENCRYPTION_KEYS."

    def handle(self, *args: object, **options: object) -> None:
        rotated, unreadable = rotate_credentials()
        self.stdout.write(str(rotated))
        for pk in unreadable:
            self.stderr.write(f"configuration {pk}: no key can decrypt its credentials; enter them again")
        if unreadable:
            sys.exit(1)
