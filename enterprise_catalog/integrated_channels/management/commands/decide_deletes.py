"""``decide_deletes``: approve the deletes that a configuration holds, or keep the items."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels import audit
from enterprise_catalog.integrated_channels.models import ChannelConfiguration


class Command(BaseCommand):
    """Prints how many items it is about. Exit code 2 for a configuration that does not exist."""

    help = "Approve the deletes that a configuration holds, or keep the items."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, required=True, metavar="ID")
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--approve", action="store_true", help="delete them with the next run, kept ones too")
        decision.add_argument("--keep", action="store_true", help="leave them at the learning system")

    def handle(self, *args: Any, **options: Any) -> None:
        configuration = ChannelConfiguration.objects.filter(pk=options["configuration"]).first()
        if configuration is None:
            raise CommandError(f"there is no configuration {options['configuration']}", returncode=2)
        self.stdout.write(
            str(audit.decide_deletes(configuration, approved=options["approve"], by="a command", now=timezone.now()))
        )
