"""Search terms of lists -> conditions that an index answers, or a scan of a small table."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q


def uuid_or_text(term: str, *, uuid_columns: tuple[str, ...], text_columns: tuple[str, ...]) -> Q:
    """Return the condition that a column equals ``term`` if it is a UUID, otherwise that a text column contains it.

    For tables of thousands of rows, not of millions: a text search scans the table.
    """
    text = term.strip()
    try:
        conditions = [Q((column, UUID(text))) for column in uuid_columns]
    except ValueError:
        conditions = [Q((f"{column}__icontains", text)) for column in text_columns]
    return Q(*conditions, _connector=Q.OR)
