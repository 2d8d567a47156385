"""An importer for a process of its own, which keeps its transaction open until it is told to commit.

:func:`main` is what the process runs. It says what it has done, as JSON: ``ready`` (the old content is there),
``began`` (the transaction is open), ``written`` (all of the import is, but nothing is committed) and ``committed``.
Each comes with the time by the machine's monotonic clock. After ``ready`` and ``written`` it waits for a line.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from enterprise_catalog.catalog.ingest import import_documents
from enterprise_catalog.catalog.models import CatalogQuery
from tests.factories import DAY_ONE, a_catalog, a_course

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOG: Final = "cccccccc-0000-4000-8000-000000000009"
COUNT: Final = 3_000
DOCUMENT_BYTES: Final = 8_000

#: What the catalog holds before and after; no key is in both.
OLD_KEYS: Final = tuple(f"Northwind+Old{number:04}" for number in range(COUNT))
NEW_KEYS: Final = tuple(f"Northwind+New{number:04}" for number in range(COUNT))
OLD_TIME: Final = DAY_ONE
NEW_TIME: Final = DAY_ONE + timedelta(days=1)


def main() -> None:
    """Make a catalog of the old content, then replace it by the new."""
    catalog = a_catalog(uuid=CATALOG)
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
    """Return the query to import into; this is asked for when the documents have been read."""
    say("began")
    return query


def say(what: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(json.dumps({"what": what, "at": time.monotonic()}) + "\n")
    sys.stdout.flush()


def lines_of(keys: Sequence[str]) -> list[bytes]:
    """Return a document for each key."""
    text: dict[str, Any] = {"full_description": "Long. " * (DOCUMENT_BYTES // 6)}
    return [json.dumps(a_course(key, **text)).encode() for key in keys]
