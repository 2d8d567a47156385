"""``rotate_credentials``: encrypt all credentials with the newest key, so that older ones can be taken away."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from enterprise_catalog.integrated_channels.configurations import rotate_credentials


class Command(BaseCommand):
    """Prints how many were encrypted anew. Exit code 1: some cannot be decrypted with any key; they are named."""

    help = "Encrypt all credentials with the newest of CREDENTIALS_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, unreadable = rotate_credentials()
        self.stdout.write(str(rotated))
        for pk in unreadable:
            self.stderr.write(f"configuration {pk}: no key fits; enter its credentials again")
        if unreadable:
            sys.exit(1)
