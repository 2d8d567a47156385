"""``test_channel``: check a configuration's connection to its LMS. Changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand
from django.utils import timezone

from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    add_configuration_option,
    configuration_of,
)
from enterprise_catalog.integrated_channels.management.commands._interruption import stop_on_interrupt

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Prints the problems, one per line. Exit code 0: no problems; 1: problems; 2: no such configuration."""

    help = "Check a configuration's connection to its LMS."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)

    def handle(self, *args: object, configuration: int, **options: object) -> None:
        chosen = configuration_of(configuration)
        with stop_on_interrupt():
            problems = check_connection(chosen, clock=timezone.now)
        for sentence in problems:
            self.stdout.write(sentence)
        if problems:
            sys.exit(1)
