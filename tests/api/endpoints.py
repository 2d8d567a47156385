"""The API's URLs, as a caller writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

CATALOGS: Final = "/api/v1/enterprise-catalogs/"

#: Endpoints that take ``{"content_keys": […]}`` -> their maximum number of keys.
KEY_LIMITS: Final = {"content-diff/": 250_000, "content-metadata/": 1_000, "generate_diff": 250_000}

TAKING_KEYS: Final = tuple(KEY_LIMITS)

#: Endpoints below one catalog that answer GET; the empty string is the catalog itself.
READABLE: Final = (
    *("", "content-changes/", "content-metadata/", "get_content_metadata", "get_content_metadata/"),
    "contains_content_items/",
)


def address(catalog_uuid: UUID | str, end: str = "") -> str:
    """Return the path of a catalog, or of an endpoint below it: ``address(catalog.pk, "content-diff/")``."""
    return f"{CATALOGS}{catalog_uuid}/{end}"
