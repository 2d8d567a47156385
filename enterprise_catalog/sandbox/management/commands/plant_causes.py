"""``manage.py plant_causes``: give a local site three complaints of customers, to find their causes in the admin."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from enterprise_catalog.sandbox.planted_causes import PLANTED, PlantingError, plant

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_TIMEOUT_SECONDS = 60


class Command(BaseCommand):
    """Prints the complaints. Needs the site of ``make run`` and a sandbox Moodle; both must keep running.

    Exit code 1: the site or the Moodle does not respond, or a sync failed. Exit code 2: the causes are there already.
    """

    help = "Plant three causes of wrong content in a sandbox Moodle (local settings only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--moodle-url", default="http://127.0.0.1:8001", metavar="URL", help="address of a sandbox Moodle"
        )

    def handle(self, *args: object, moodle_url: str, **options: object) -> None:
        _check(f"{settings.CATALOG_API_URL}/health/", advice="Start the site with: make run")
        advice = "Start a sandbox Moodle with: python manage.py run_sandbox --channel MOODLE --port 8001"
        _check(f"{moodle_url}/_sandbox/calls", advice=advice)
        for cause in PLANTED:
            try:
                plant(cause, moodle_url=moodle_url)
            except PlantingError as error:
                raise CommandError(str(error), returncode=1) from error
            self.stdout.write(f"{cause.customer}: {cause.complaint}")
        self.stdout.write(f"Find the causes at {settings.CATALOG_API_URL}/admin/")


def _check(url: str, *, advice: str) -> None:
    """Read ``url``.

    Raises:
        CommandError: there is no response. The message has the ``advice``.
    """
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310  (an address of the site's owner)
            response.read()
    except (OSError, ValueError) as error:
        raise CommandError(f"{url} does not respond. {advice}", returncode=1) from error
