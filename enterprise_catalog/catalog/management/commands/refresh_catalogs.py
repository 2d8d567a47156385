"""``refresh_catalogs``: fill catalogs from course-discovery now, in this process; or show what would change."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.documents import UnusableResultError
from enterprise_catalog.catalog.discovery.nested import update_queries
from enterprise_catalog.catalog.discovery.preview import preview
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.models import (
    CatalogQuery,
    EnterpriseCatalog,
    QuerySource,
    RefreshState,
    RefreshTrigger,
)
from enterprise_catalog.catalog.tasks import edited_nested_queries, refreshable_queries
from enterprise_catalog.service_client.exceptions import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from enterprise_catalog.catalog.models import CatalogRefresh

log = structlog.get_logger(__name__)

#: Pathways contain programs, which contain courses, which name programs.
NESTING_DEPTH: Final = 4
BUSY: Final = "Another refresh of this query is running."


class Command(BaseCommand):
    """Refreshes one query after the other.

    Exit code 0: every refresh is complete, or an operator has rejected the same change before; 1: a refresh failed, is
    held, or would be; 2: wrong usage.
    """

    help = "Fill catalogs from course-discovery by their content filters, now, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--catalog-uuid",
            action="append",
            type=UUID,
            default=[],
            metavar="U",
            help="only this catalog; may be repeated",
        )
        parser.add_argument("--dry-run", action="store_true", help="list what would be added, changed and removed")
        parser.add_argument("--json", action="store_true", help="print one JSON object per query")

    def handle(self, *args: object, catalog_uuid: list[UUID], dry_run: bool, json: bool, **options: object) -> None:
        queries = _queries_of(catalog_uuid) if catalog_uuid else refreshable_queries()
        act = self._preview if dry_run else self._refresh
        outcomes = [act(query, as_json=json) for query in queries]
        if not (catalog_uuid or dry_run):
            outcomes += self._refresh_nested(as_json=json)
        if not all(outcomes):
            sys.exit(1)

    def _refresh_nested(self, *, as_json: bool) -> Iterator[bool]:
        """Refresh the queries of nested content, and again those that this has edited."""
        queries = update_queries(now=timezone.now())
        for _ in range(NESTING_DEPTH):
            for query in queries:
                yield self._refresh(query, as_json=as_json)
            queries = edited_nested_queries()

    def _refresh(self, query: CatalogQuery, *, as_json: bool) -> bool:
        row = records.create(query, trigger=RefreshTrigger.COMMAND, by="", now=timezone.now())
        try:
            with _progress(query) as on_page:
                has_run = refresh(row, clock=timezone.now, on_page=on_page)
        except Exception as error:  # one query must not prevent the refreshes of the others
            if isinstance(error, OperationalError | InterfaceError):
                raise
            log.exception("refresh_failed", query_id=query.pk)
        else:
            if not has_run:
                records.fail(row, BUSY, now=timezone.now())
        row.refresh_from_db()
        self._print(query, _report_of(row), as_json=as_json)
        return row.state in (RefreshState.COMPLETE, RefreshState.REJECTED)

    def _preview(self, query: CatalogQuery, *, as_json: bool) -> bool:
        try:
            with _progress(query) as on_page:
                found = preview(query, on_page=on_page)
        except (ServiceError, UnusableResultError) as error:
            self._print(query, {"state": RefreshState.FAILED, "reason": str(error)}, as_json=as_json)
            return False
        change = found.change
        items = {
            "add": sorted(change.added),
            "change": found.changed,
            "remove": sorted(change.removed),
            "allow": sorted(found.newly_allowed),
            "revoke": sorted(found.revoked),
        }
        held = "would be rejected again" if found.is_rejected else "would be held"
        report = {
            "state": held if found.objection else "would be complete",
            "reason": found.objection,
            "found": change.found_count,
            "added": len(change.added),
            "changed": len(found.changed),
            "removed": len(change.removed),
            "left_out": found.left_out,
            "restricted_runs": len(found.allowed),
        }
        self._print(query, report, items, as_json=as_json)
        return found.is_rejected or not found.objection

    def _print(
        self,
        query: CatalogQuery,
        report: Mapping[str, object],
        items: Mapping[str, Sequence[str]] | None = None,
        *,
        as_json: bool,
    ) -> None:
        if as_json:
            named = {"query_uuid": str(query.uuid), "title": query.title}
            whole = {**named, **report, **({"items": items} if items is not None else {})}
            self.stdout.write(orjson.dumps(whole, default=str).decode())
            return
        self.stdout.write(f"{query} ({query.uuid}): {report['state']}")
        for action, keys in (items or {}).items():
            for key in keys:
                self.stdout.write(f"  {action:6} {key}")
        for name, value in report.items():
            if name != "state" and value != "":
                self.stdout.write(f"  {name}: {value}")


def _report_of(row: CatalogRefresh) -> dict[str, object]:
    return {
        "refresh_id": row.pk,
        "state": row.state,
        "reason": row.reason,
        "found": row.found,
        "added": row.added,
        "changed": row.changed,
        "removed": row.removed,
        "left_out": row.left_out,
        "incomplete": row.incomplete,
    }


def _queries_of(catalog_uuids: Sequence[UUID]) -> Iterable[CatalogQuery]:
    """Return the queries of the catalogs, each once.

    Raises:
        CommandError: there is no such catalog, or its content is not from course-discovery.
    """
    catalogs = EnterpriseCatalog.objects.with_parts().filter(deleted_at=None).in_bulk(catalog_uuids)
    queries: dict[int, CatalogQuery] = {}
    for catalog_uuid in catalog_uuids:
        catalog = catalogs.get(catalog_uuid)
        if catalog is None:
            raise CommandError(f"there is no catalog {catalog_uuid}", returncode=2)
        query = catalog.catalog_query
        if query is None or query.source != QuerySource.DISCOVERY:
            raise CommandError(f"catalog {catalog_uuid} is not filled from course-discovery", returncode=2)
        queries[query.pk] = query
    return queries.values()


@contextmanager
def _progress(query: CatalogQuery) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error, if that is a terminal. Its end is the present number of members."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(str(query), total=query.memberships.count() or None)

        def show(found: int) -> None:
            total = progress.tasks[bar].total
            progress.update(bar, completed=found, total=max(total, found) if total else None)

        yield show
