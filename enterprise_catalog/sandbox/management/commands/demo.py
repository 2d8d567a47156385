"""``manage.py demo``: a complete sync on this machine, with real processes and HTTP.

The command starts the catalog service, and sandboxes of course-discovery, the Open edX LMS and a customer's LMS. The
Open edX LMS creates a catalog, a refresh fills it from course-discovery, and a sync sends it to the customer's LMS.
Then the content changes in course-discovery, and the customer's LMS must follow. The demonstration uses only the
commands and URLs of both programs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from enterprise_catalog.sandbox.demonstration.demonstration import Demonstration
from enterprise_catalog.sandbox.demonstration.processes import DemonstrationError
from enterprise_catalog.sandbox.registry import SANDBOXES

SAMPLE = Path(__file__).resolve().parents[3] / "catalog" / "sample_catalog.jsonl"


class Command(BaseCommand):
    """Exits with 0 if the LMS matches the catalog, or every difference has a recorded reason; with 1 otherwise.

    A missing data file and wrong usage exit with 2.
    """

    help = (
        "Fill a catalog from a sandbox of course-discovery, sync it to a sandbox LMS, change it, and check the result."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", choices=sorted(SANDBOXES), default="MOODLE", metavar="CODE")
        parser.add_argument(
            "--data", type=Path, default=SAMPLE, metavar="FILE", help="file with one content document per line"
        )

    def handle(self, *args: object, channel: str, data: Path, **options: object) -> None:
        if not data.is_file():
            raise CommandError(f"the file {options['data']} does not exist", returncode=2)
        with tempfile.TemporaryDirectory(prefix="enterprise-catalog-demo-") as folder:
            demonstration = Demonstration(Path(folder), channel, data, Console())
            try:
                demonstration.run()
            except DemonstrationError as error:
                raise CommandError(str(error), returncode=1) from error
