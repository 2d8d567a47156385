"""What is typed into a list's search field -> conditions that an index answers, or that a small table can afford."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Q

#: Sorts after every character, hence after every key that starts with the text before it.
_LAST_CHARACTER: Final = "\U0010ffff"


def key_starts_with(prefix: str, *, column: str = "content_key") -> Q:
    """Return the condition that a content key is ``prefix`` or starts with it, exactly.

    A range of the index; LIKE would scan, and would take ``%`` and ``_`` for wildcards.
    """
    return Q((f"{column}__gte", prefix), (f"{column}__lt", prefix + _LAST_CHARACTER))


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
