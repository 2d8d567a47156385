"""``show_transmissions``: show the state of items in the LMSs; answers "why is course X not in our LMS?"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from django.core.management.base import BaseCommand, CommandParser

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLUMNS = (
    "configuration_id",
    "content_key",
    "content_title",
    "state",
    "action",
    "reason",
    "remote_id",
    "content_updated_at",
    "last_attempt_at",
    "next_attempt_at",
    "deleted_at",
)


class Command(BaseCommand):
    """Prints one line per transmission, ascending by configuration and content key."""

    help = "Show the state of content items in the LMSs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, metavar="ID", help="only items of this configuration")
        parser.add_argument("--content-key", metavar="KEY", help="only items with exactly this key")
        parser.add_argument("--state", choices=[state.value for state in State], help="only items in this state")
        parser.add_argument("--json", action="store_true", help="print one JSON object per transmission")

    def handle(
        self,
        *args: object,
        configuration: int | None,
        content_key: str | None,
        state: str | None,
        json: bool,
        **options: object,
    ) -> None:
        columns = {"configuration": configuration, "content_key": content_key, "state": state}
        for row in _rows({name: value for name, value in columns.items() if value is not None}):
            if json:
                self.stdout.write(orjson.dumps(row).decode())
            else:
                due = f"; next attempt at {row['next_attempt_at']:%Y-%m-%d %H:%M} UTC" if row["next_attempt_at"] else ""
                self.stdout.write(
                    f"{row['configuration_id']} {row['content_key']}: {row['state']}. {row['reason']}{due}"
                )


def _rows(filters: Mapping[str, object]) -> Iterator[dict[str, object]]:
    rows = ContentMetadataItemTransmission.objects.order_by("configuration_id", "content_key").filter(**filters)
    yield from rows.values(*_COLUMNS).iterator(chunk_size=10_000)
