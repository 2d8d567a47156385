"""An importer process that keeps its transaction open until it reads a line.

The process runs :func:`main`. It prints each step as JSON, with the time of the machine's monotonic clock: ``ready``
(the old content is stored), ``began`` (the transaction is open), ``written`` (the import is written but not committed)
and ``committed``. After ``ready`` and ``written`` it waits for a line on standard input.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from enterprise_catalog.catalog.ingest.writer import import_documents
from enterprise_catalog.catalog.models import CatalogQuery
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOG: Final = "cccccccc-0000-4000-8000-000000000009"
COUNT: Final = 1_000
DOCUMENT_BYTES: Final = 8_000

#: The keys before and after the import; no key is in both.
OLD_KEYS: Final = tuple(f"Northwind+Old{number:04}" for number in range(COUNT))
NEW_KEYS: Final = tuple(f"Northwind+New{number:04}" for number in range(COUNT))
OLD_TIME: Final = DAY_ONE
NEW_TIME: Final = DAY_ONE + timedelta(days=1)


def main() -> None:
    """Create a catalog with the old content, then replace it with the new content."""
    catalog = CatalogFactory.create(uuid=CATALOG)
    query = CatalogQuery.objects.get(catalogs=catalog)
    import_documents(lambda: query, lines_of(OLD_KEYS), now=OLD_TIME)
    say("ready")
    sys.stdin.readline()
    with transaction.atomic():
        import_documents(lambda: began(query), lines_of(NEW_KEYS), now=NEW_TIME, replace=True, allow_shrink=True)
        say("written")
        sys.stdin.readline()
    say("committed")


def began(query: CatalogQuery) -> CatalogQuery:
    """Return the query to import into. The importer calls this after reading the documents."""
    say("began")
    return query


def say(what: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(json.dumps({"what": what, "at": time.monotonic()}) + "\n")
    sys.stdout.flush()


def lines_of(keys: Sequence[str]) -> list[bytes]:
    """Return one document per key."""
    text: dict[str, Any] = {"full_description": "Long. " * (DOCUMENT_BYTES // 6)}
    return [json.dumps(CourseFactory.build(key=key, **text)).encode() for key in keys]
