"""Reviews of courses, cached for half a day: course-discovery lists them 20 a page, for all courses at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from enterprise_catalog.catalog.discovery.documents import REVIEW_MEMBERS

if TYPE_CHECKING:
    from enterprise_catalog.catalog.discovery.client import DiscoveryClient
    from enterprise_catalog.catalog.items.normalized import Fields

CACHE_KEY: Final = "catalog.discovery.reviews"
MAX_AGE_SECONDS: Final = 12 * 60 * 60


def read_reviews(client: DiscoveryClient) -> dict[str, Fields]:
    """Return course key -> the members of its review that documents repeat.

    Raises:
        ServiceError: the list could not be read completely.
    """
    found: dict[str, Fields] | None = cache.get(CACHE_KEY)
    if found is None:
        rows = (row for page in client.read_reviews() for row in page)
        found = {
            key: {name: row[name] for name in REVIEW_MEMBERS if name in row}
            for row in rows
            if isinstance(key := row.get("course_key"), str)
        }
        cache.set(CACHE_KEY, found, MAX_AGE_SECONDS)
    return found
