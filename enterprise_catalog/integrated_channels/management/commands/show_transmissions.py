"""``show_transmissions``: show the state of items in the LMSs; answers "why is course X not in our LMS?"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandParser

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.reporting.export import read_pages, table_of
from enterprise_catalog.integrated_channels.reporting.formats import to_csv, to_json_lines
from enterprise_catalog.integrated_channels.reporting.search import recognize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from enterprise_catalog.integrated_channels.reporting.export import Record


class Command(BaseCommand):
    """Prints one line per transmission, by default ascending by configuration and content key."""

    help = "Show the state of content items in the LMSs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, metavar="ID", help="only items of this configuration")
        parser.add_argument("--content-key", metavar="KEY", help="only items with exactly this key")
        parser.add_argument("--state", choices=[state.value for state in State], help="only items in this state")
        parser.add_argument("--search", default="", metavar="TERM", help="only items that the admin's search finds")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON object per transmission")
        form.add_argument("--csv", action="store_true", help="print a header and one row of CSV per transmission")

    def handle(
        self,
        *args: object,
        configuration: int | None,
        content_key: str | None,
        state: str | None,
        search: str,
        json: bool,
        csv: bool,
        **options: object,
    ) -> None:
        columns = {"configuration": configuration, "content_key": content_key, "state": state}
        pages = read_pages(_rows({name: value for name, value in columns.items() if value is not None}, search))
        if json:
            text = to_json_lines(pages)
        elif csv:
            text = to_csv(pages, table_of(ContentMetadataItemTransmission).columns)
        else:
            text = _sentences(pages)
        for part in text:
            self.stdout.write(part, ending="")


def _rows(filters: dict[str, object], term: str) -> QuerySet[ContentMetadataItemTransmission]:
    rows = ContentMetadataItemTransmission.objects.order_by("configuration_id", "content_key").filter(**filters)
    search = recognize(term)
    return search.rows(rows) if search else rows


def _sentences(pages: Iterable[Iterable[Record]]) -> Iterator[str]:
    for page in pages:
        for row in page:
            due = f"; next attempt at {row['next_attempt_at']:%Y-%m-%d %H:%M} UTC" if row["next_attempt_at"] else ""
            yield f"{row['configuration_id']} {row['content_key']}: {row['state']}. {row['reason']}{due}\n"
