"""``ensure_local_admin``: create a first user for a local site's admin."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

NAME = PASSWORD = "admin"  # noqa: S105  (only on local sites; the command prints it)


class Command(BaseCommand):
    """Creates the superuser ``admin`` with the password ``admin``, unless a superuser already exists."""

    help = "Create a superuser for the local admin, unless one exists (local settings only)."

    def handle(self, *args: object, **options: object) -> None:
        if not settings.LOCAL_SITE:
            raise CommandError(
                "This command works only with local settings. Use createsuperuser instead.", returncode=2
            )
        users = get_user_model().objects
        if not users.filter(is_superuser=True).exists():
            users.create_superuser(NAME, password=PASSWORD)
            self.stdout.write(f"Created the user {NAME} with the password {PASSWORD}.")
