"""Reads of the catalog's tables for assertions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from enterprise_catalog.catalog.models import CatalogMembership, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.catalog.snapshots.snapshot import items_as_json, read_diff
from enterprise_catalog.catalog.versions.state import read_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enterprise_catalog.catalog.diff import CatalogDiff


def keys_in(catalog: EnterpriseCatalog) -> list[str]:
    """Return the keys of the catalog's members, ascending."""
    return [key for key, _ in times_in(catalog)]


def times_in(catalog: EnterpriseCatalog) -> list[tuple[str, datetime]]:
    """Return key and time of change of each of the catalog's members, ascending by key."""
    members = CatalogMembership.objects.filter(catalog_query=catalog.catalog_query_id).in_key_order()
    return list(members.values_list("content_key", "updated_at"))


def version_of(catalog: EnterpriseCatalog) -> str:
    """Return the catalog's current version."""
    return read_state(catalog.pk).version


def diff_of(catalog: EnterpriseCatalog, known_keys: Iterable[str] = ()) -> CatalogDiff[str]:
    """Return the diff between the current catalog and ``known_keys``."""
    return read_diff(read_state(catalog.pk), known_keys)[1]


def served_times(catalog: EnterpriseCatalog) -> dict[str, datetime]:
    """Return content key -> time of change, as served in a diff."""
    existing = orjson.loads(orjson.dumps(items_as_json(diff_of(catalog, keys_in(catalog)).existing)))
    return {item["content_key"]: datetime.fromisoformat(item["updated_at"]) for item in existing}


def content_of(key: str) -> ContentMetadata:
    """Return the current content with its document."""
    return ContentMetadata.objects.select_related("document").get(content_key=key)
