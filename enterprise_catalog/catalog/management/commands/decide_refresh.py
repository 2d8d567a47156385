"""``decide_refresh``: approve or reject a held refresh."""

from __future__ import annotations

from typing import Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.catalog.models import CatalogRefresh
from enterprise_catalog.catalog.tasks import decide_refresh

BY: Final = "command line"


class Command(BaseCommand):
    """An approval queues a refresh, which applies the change. Exit code 2: there is no such held refresh."""

    help = "Approve or reject a held refresh."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--refresh", type=int, required=True, metavar="ID", help="the held refresh")
        parser.add_argument("--reason", default="", help="recorded with the decision")
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--approve", action="store_true", help="apply the change")
        decision.add_argument("--reject", action="store_true", help="leave the catalog as it is")

    def handle(self, *args: object, refresh: int, approve: bool, reason: str, **options: object) -> None:
        row = CatalogRefresh.objects.filter(pk=refresh).first()
        if row is None or not decide_refresh(row, approve=approve, by=BY, reason=reason):
            raise CommandError(f"there is no held refresh {refresh}", returncode=2)
