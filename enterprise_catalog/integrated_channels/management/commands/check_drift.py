"""``check_drift``: list the differences between an LMS and the catalogs. Changes nothing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import ngettext

from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    add_configuration_option,
    configuration_of,
)
from enterprise_catalog.integrated_channels.management.commands._interruption import stop_on_interrupt
from enterprise_catalog.integrated_channels.sync.drift import check_drift

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Prints one line per difference.

    Exit code 0: no differences; 1: differences, or the LMS could not be read; 2: no such configuration; 130: Ctrl+C.
    """

    help = "List the differences between a configuration's LMS and its catalogs."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object per difference")

    def handle(self, *args: object, configuration: int, json: bool, **options: object) -> None:
        chosen = configuration_of(configuration)
        try:
            with stop_on_interrupt():
                report = check_drift(chosen, clock=timezone.now)
        except SyncError as error:
            raise CommandError(error.message, returncode=1) from error
        for each in report.differences:
            line = f"{each.content_key}: {each.difference}. {each.details}"
            self.stdout.write(orjson.dumps(asdict(each)).decode() if json else line)
        if report.others:
            text = ngettext(
                "The LMS has %(number)s other item with a key that was never sent from here.",
                "The LMS has %(number)s other items with keys that were never sent from here.",
                report.others,
            )
            # Not on stdout, where the JSON output has one object per difference and nothing else.
            self.stderr.write(text % {"number": f"{report.others:,}"})
        if report.differences:
            sys.exit(1)
