"""``decide_deletes``: approve the held deletes of a configuration, keep the items, or delete kept items after all."""

from __future__ import annotations

from functools import partial

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.management.commands._configuration import (
    BY,
    add_configuration_option,
    add_reason_option,
    configuration_of,
)
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission


class Command(BaseCommand):
    """Prints the number of affected items. Exit code 2: no such configuration."""

    help = "Approve a configuration's held deletes, keep the items, or delete kept items after all."

    def add_arguments(self, parser: CommandParser) -> None:
        add_configuration_option(parser)
        add_reason_option(parser)
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--approve", action="store_true", help="delete the held items in the next run")
        decision.add_argument("--keep", action="store_true", help="keep the held items in the LMS")
        decision.add_argument("--delete-kept", action="store_true", help="delete the items that were kept earlier")

        parser.add_argument(
            "--content-key", action="append", default=[], metavar="KEY", help="only this item; may be repeated"
        )

    def handle(
        self,
        *args: object,
        configuration: int,
        approve: bool,
        delete_kept: bool,
        content_key: list[str],
        reason: str,
        **options: object,
    ) -> None:
        rows = ContentMetadataItemTransmission.objects.of(configuration_of(configuration))
        if content_key:
            rows = rows.with_keys(content_key)
        decide = decisions.delete_kept if delete_kept else partial(decisions.decide_deletes, approved=approve)
        number = decide(rows, by=BY, reason=reason, now=timezone.now())
        self.stdout.write(str(number))
