"""What a test looks at in the catalog's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.catalog.models import CatalogMembership, ContentMetadata, EnterpriseCatalog

if TYPE_CHECKING:
    from datetime import datetime


def keys_in(catalog: EnterpriseCatalog) -> list[str]:
    """Return the keys of the catalog's members, ascending."""
    return [key for key, _ in times_in(catalog)]


def times_in(catalog: EnterpriseCatalog) -> list[tuple[str, datetime]]:
    """Return key and time of change of each of the catalog's members, ascending by key."""
    members = CatalogMembership.objects.filter(catalog_query=catalog.catalog_query_id).in_key_order()
    return list(members.values_list("content_key", "updated_at"))


def version_of(catalog: EnterpriseCatalog) -> str:
    """Return the catalog's version as it is now."""
    return EnterpriseCatalog.objects.with_parts().get(pk=catalog.pk).version


def content_of(key: str) -> ContentMetadata:
    """Return the content with its document, as it is now."""
    return ContentMetadata.objects.select_related("document").get(content_key=key)
