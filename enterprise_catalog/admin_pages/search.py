"""What is typed into a list's search field -> conditions that an index answers, or that a small table can afford."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q


def uuid_or_text(term: str, *, uuid_columns: tuple[str, ...], text_columns: tuple[str, ...]) -> Q:
    """Return the condition that one of the columns is the UUID ``term``, or contains it if ``term`` is none.

    For tables of thousands of rows, not of millions: text is looked for everywhere.
    """
    text = term.strip()
    try:
        conditions = [Q((column, UUID(text))) for column in uuid_columns]
    except ValueError:
        conditions = [Q((f"{column}__icontains", text)) for column in text_columns]
    return Q(*conditions, _connector=Q.OR)
