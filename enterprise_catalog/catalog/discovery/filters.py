"""Content filters of queries: checks, hash and edits. No database here.

A filter is the body of course-discovery's search (``search/all``): a field, or a field and a lookup such as
``level_type__exclude``, and the value or list of values to compare with.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from enterprise_catalog.catalog.models import CatalogQuery


def hash_filter(content_filter: Mapping[str, object]) -> str:
    """Return the MD5 of the filter, 32 hexadecimal digits, as Open edX computes it.

    Filters that differ only in the order of their members have the same hash. The order of lists counts.
    """
    text = json.dumps(content_filter, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def edit_filter(query: CatalogQuery, content_filter: Mapping[str, object], *, now: datetime) -> bool:
    """Set the query's filter, its hash and the time of the edit; return ``False`` if the filter is the same.

    The caller saves the query. Two queries with the same filter violate a unique constraint.
    """
    new_hash = hash_filter(content_filter)
    if query.content_filter_hash == new_hash:
        return False
    query.content_filter = dict(content_filter)
    query.content_filter_hash = new_hash
    query.filter_edited_at = now
    return True
