"""``adopt``: link items that an LMS already has under keys of the catalogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    BY,
    add_configuration_option,
    add_reason_option,
    configuration_of,
)
from enterprise_catalog.integrated_channels.management.commands._interruption import stop_on_interrupt
from enterprise_catalog.integrated_channels.sync.drift import adopt

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Prints the number of adopted items. Exit code 1: the LMS could not be read; 2: no such configuration."""

    help = "Link items that a configuration's LMS already has to items of the catalogs with the same keys."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        add_reason_option(parser)

    def handle(self, *args: object, configuration: int, reason: str, **options: object) -> None:
        try:
            with stop_on_interrupt():
                adoption = adopt(configuration_of(configuration), by=BY, reason=reason, clock=timezone.now)
        except SyncError as error:
            raise CommandError(error.message, returncode=1) from error
        for duplicates in adoption.duplicates:
            self.stderr.write(str(duplicates))
        self.stdout.write(str(adoption.items))
