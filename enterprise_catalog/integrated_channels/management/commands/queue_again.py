"""``queue_again``: queue items for the next run: failed items, or items that were changed in the LMS."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    BY,
    add_configuration_option,
    add_reason_option,
    configuration_of,
)
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission


class Command(BaseCommand):
    """Prints the number of queued items. Exit code 2: no such configuration."""

    help = "Queue a configuration's failed items for its next run."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        add_reason_option(parser)
        parser.add_argument(
            "--content-key", action="append", default=[], metavar="KEY", help="only this item; may be repeated"
        )
        states = [State.RETRYING, State.REJECTED, State.DEAD_LETTER, State.TRANSMITTED]
        parser.add_argument(
            "--state",
            choices=[state.value for state in states],
            help="only items in this state; transmitted items are queued only with this option",
        )

        parser.add_argument(
            "--failure", default="", metavar="TEXT", help="only items whose reason starts with this text"
        )

    def handle(
        self,
        *args: object,
        configuration: int,
        content_key: list[str],
        state: str | None,
        failure: str,
        reason: str,
        **options: object,
    ) -> None:
        chosen = ContentMetadataItemTransmission.objects.of(configuration_of(configuration))
        if content_key:
            chosen = chosen.with_keys(content_key)
        if state:
            chosen = chosen.filter(state=state)
        if failure:
            chosen = chosen.filter(reason__startswith=failure)
        also_transmitted = state == State.TRANSMITTED
        number = decisions.queue_again(
            chosen, by=BY, reason=reason, now=timezone.now(), also_transmitted=also_transmitted
        )
        self.stdout.write(str(number))
