"""``rotate_credentials``: encrypt all credentials with the newest key, so that older keys can be removed."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from enterprise_catalog.integrated_channels.access.configurations import rotate_credentials
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import rotate_webhooks


class Command(BaseCommand):
    """Prints the number of encrypted credentials and webhooks.

    Exit code 1: no key can decrypt some of them; their configurations and subscriptions are named on stderr.
    """

    help = "Encrypt all credentials with the newest key in CREDENTIALS_ENCRYPTION_KEYS."

    def handle(self, *args: object, **options: object) -> None:
        rotated, unreadable = rotate_credentials()
        webhooks, unreadable_webhooks = rotate_webhooks()
        self.stdout.write(str(rotated + webhooks))
        for pk in unreadable:
            self.stderr.write(f"configuration {pk}: no key can decrypt its credentials; enter them again")
        for pk in unreadable_webhooks:
            self.stderr.write(f"subscription {pk}: no key can decrypt its webhook; enter it again")
        if unreadable or unreadable_webhooks:
            sys.exit(1)
