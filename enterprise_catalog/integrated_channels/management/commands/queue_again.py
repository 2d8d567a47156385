"""``queue_again``: let failed items be sent with the next run, dead letters included."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.integrated_channels import audit
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.types import State


class Command(BaseCommand):
    """Prints how many items were queued. Exit code 2 for a configuration that does not exist."""

    help = "Let failed items of a configuration be sent with its next run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, required=True, metavar="ID")
        parser.add_argument(
            "--content-key", action="append", default=[], metavar="KEY", help="only this item; may be repeated"
        )
        failed = [State.RETRYING, State.REJECTED, State.DEAD_LETTER]
        parser.add_argument("--state", choices=[state.value for state in failed], help="only those in this state")

    def handle(self, *args: Any, **options: Any) -> None:
        configuration = ChannelConfiguration.objects.filter(pk=options["configuration"]).first()
        if configuration is None:
            raise CommandError(f"there is no configuration {options['configuration']}", returncode=2)
        chosen = ContentMetadataItemTransmission.objects.of(configuration)
        if options["content_key"]:
            chosen = chosen.with_keys(options["content_key"])
        if options["state"]:
            chosen = chosen.filter(state=options["state"])
        self.stdout.write(str(audit.queue_again(chosen, by="a command")))
