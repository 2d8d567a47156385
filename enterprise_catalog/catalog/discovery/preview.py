"""The effect of a refresh, computed without one: writes nothing to the database."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.client import DiscoveryClient
from enterprise_catalog.catalog.discovery.collection import Collection, collect, find_keys
from enterprise_catalog.catalog.discovery.refresh import compare, find_objection_to
from enterprise_catalog.catalog.models import ContentMetadata
from enterprise_catalog.catalog.querysets import KEYS_PER_STATEMENT
from enterprise_catalog.service_client.exceptions import ServiceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from enterprise_catalog.catalog.discovery.guard_rail import MembershipChange
    from enterprise_catalog.catalog.models import CatalogQuery


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect that a refresh would have now."""

    change: MembershipChange
    changed: list[str]  #: Keys of the members whose document would change, ascending.
    left_out: int  #: Results that enterprise customers cannot have, and persons.
    objection: str  #: The reason why the refresh would change nothing; empty if it would be complete.
    is_rejected: bool  #: True if it would not be held, because an operator has rejected the same change.
    allowed: set[str]  #: Keys of the restricted runs that the filter allows, as far as course-discovery has them.
    newly_allowed: set[str]  #: Those that the query does not allow yet.
    revoked: set[str]  #: Keys of the restricted runs that the query would no longer allow.


def preview(query: CatalogQuery, *, on_page: Callable[[int], None] = lambda _: None) -> Preview:
    """Return the effect of a refresh of the query.

    Args:
        on_page: called with the number of items found so far.

    Raises:
        ServiceError: course-discovery could not be read completely.
        UnusableResultError: a result or document cannot be stored.
    """
    with DiscoveryClient() as client, tempfile.TemporaryFile(prefix="refresh-") as file:
        collection = collect(query, client, file, on_page=on_page)
    change = compare(query, collection.content.keys)
    changed = [key for key in _changed(collection) if key not in change.added]
    objection = find_objection_to(query, change)
    allowed = {run.content_key for run in collection.restricted.runs}
    stored = set(query.restricted_runs.values_list("content__content_key", flat=True))
    rejection = records.find_rejection(query, change) if objection else None
    return Preview(
        change,
        changed,
        collection.left_out,
        records.rejected_before(rejection) if rejection else objection,
        rejection is not None,
        allowed,
        allowed - stored,
        stored - allowed,
    )


def preview_filter(query: CatalogQuery, content_filter: Mapping[str, object], *, seconds: float) -> MembershipChange:
    """Return the change of members if the query had another filter.

    Args:
        seconds: time limit; a user is waiting for the page.

    Raises:
        ServiceError: course-discovery could not be read completely, or in time.
        UnusableResultError: a result has no key.
    """
    deadline = time.monotonic() + seconds
    keys: set[str] = set()
    with DiscoveryClient(sleep=_refuse_to_wait) as client:
        for page in find_keys(content_filter, client):
            keys |= page
            if time.monotonic() > deadline:
                message = f"The search takes longer than {seconds:g} seconds; it has found {len(keys):,} items so far."
                raise ServiceError(message)
    return compare(query, keys)


def _refuse_to_wait(_: float) -> None:
    raise UnreachableError("Course-discovery is unreachable or overloaded. Try again later.")


def _changed(collection: Collection) -> Iterator[str]:
    """Yield the keys of stored items with a document other than the collected one, ascending."""
    entries = collection.content.entries
    for start in range(0, len(entries), KEYS_PER_STATEMENT):
        some = {entry.content_key: entry.content_hash for entry in entries[start : start + KEYS_PER_STATEMENT]}
        stored = ContentMetadata.objects.with_keys(some).values_list("content_key", "content_hash")
        yield from sorted(key for key, content_hash in stored if content_hash != some[key])
