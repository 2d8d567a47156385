"""``pause_channel``: stop the syncs of a configuration, or resume them."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    BY,
    add_configuration_option,
    add_reason_option,
    configuration_of,
)


class Command(BaseCommand):
    """Prints ``paused`` or ``resumed``. Exit code 2: no such configuration, or no reason. Safe to repeat."""

    help = "Pause the syncs of a configuration, with a reason; or resume them."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        add_reason_option(parser)
        parser.add_argument("--resume", action="store_true", help="resume the syncs; the reason is optional")

    def handle(self, *args: object, configuration: int, reason: str, resume: bool, **options: object) -> None:
        chosen = configuration_of(configuration, is_restored=resume)
        if resume:
            decisions.resume(chosen, by=BY, reason=reason, now=timezone.now())
        elif reason.strip():
            decisions.pause(chosen, by=BY, reason=reason, now=timezone.now())
        else:
            raise CommandError("a pause needs a --reason", returncode=2)
        self.stdout.write("resumed" if resume else "paused")
