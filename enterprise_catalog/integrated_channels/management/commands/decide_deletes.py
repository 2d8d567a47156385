"""``decide_deletes``: approve the held deletes of a configuration, or keep the items."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    add_configuration_option,
    configuration_of,
)


class Command(BaseCommand):
    """Prints the number of affected items. Exit code 2: no such configuration."""

    help = "Approve a configuration's held deletes, or keep the items."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--approve", action="store_true", help="delete the held and kept items in the next run")
        decision.add_argument("--keep", action="store_true", help="keep the held items in the LMS")

    def handle(self, *args: object, configuration: int, approve: bool, **options: object) -> None:
        chosen = configuration_of(configuration)
        number = decisions.decide_deletes(chosen, approved=approve, by="a command", now=timezone.now())
        self.stdout.write(str(number))
