"""Content items as the exporter passes them to a channel. A test names only the fields that matter to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from enterprise_catalog.integrated_channels.domain import ContentItem
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

_BORING: Mapping[str, Any] = {
    "content_type": "course",
    "updated_at": DAY_ONE,
    "title": "Data for All",
    "short_description": "Read data.",
    "full_description": "<p>Read data, and <em>write</em> it.</p>",
    "enrollment_url": "https://learn.example.org/acme/course/Northwind+DATA101",
    "marketing_url": "https://www.example.org/course/data-for-all",
    "image_url": "https://img.example.org/data.jpg",
    "organizations": ("Northwind Institute",),
    "course_type": "verified-audit",
}


def an_item(content_key: str = "Northwind+DATA101", **fields: Any) -> ContentItem:
    """Return a course with default values; ``fields`` override them."""
    return ContentItem(content_key=content_key, **{**_BORING, **fields})


def a_bare_item(content_key: str = "Northwind+DATA101", **fields: Any) -> ContentItem:
    """Return a course with only the required fields and ``fields``."""
    return ContentItem(content_key=content_key, **{"content_type": "course", "updated_at": DAY_ONE, **fields})
