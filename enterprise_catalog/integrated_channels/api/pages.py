"""Pages of lists, with a cursor: every page of a list has the same cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import orjson
from pydantic import AwareDatetime, Field, TypeAdapter
from rest_framework import serializers

from enterprise_catalog.db.keyset import is_after, name_of, order_of
from enterprise_catalog.web.rest.cursors import cursor_after, key_of_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.db.models import Model, QuerySet
    from rest_framework.request import Request

    from enterprise_catalog.web.rest.input import Values

    M = TypeVar("M", bound=Model)

MAX_PAGE_SIZE: Final = 500

_ID: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)])
_TEXT: Final[TypeAdapter[str]] = TypeAdapter(Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")])
#: Column that orders a list -> validates its values in a cursor.
_VALUES: Final[Mapping[str, TypeAdapter[int] | TypeAdapter[str] | TypeAdapter[datetime]]] = {
    "id": _ID,
    "configuration_id": _ID,
    "content_key": _TEXT,
    "content_title": _TEXT,
    "outcome": _TEXT,
    "problem": _TEXT,
    "started_at": TypeAdapter(AwareDatetime),
}


class PageQuerySerializer(serializers.Serializer[object]):
    """The parameters of all lists."""

    cursor = serializers.CharField(
        required=False, help_text="Opaque; copy it from the previous page's `next`. Omit it for the first page."
    )
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MAX_PAGE_SIZE)


def page_of(row: type[serializers.BaseSerializer[M]]) -> type[serializers.Serializer[object]]:
    """Return the serializer of one page of a list whose rows have this serializer."""
    name = row.__name__.replace("Serializer", "PageSerializer")
    fields = {"next": serializers.URLField(allow_null=True), "results": row(many=True)}
    return type(name, (serializers.Serializer,), fields)


def read_page(request: Request, rows: QuerySet[M], query: Values) -> tuple[list[M], str | None]:
    """Return one page of ``rows``, and the URL of the next page; ``None`` after the last page. Two statements.

    The ids are read before the rows. A database that read whole rows would rather sort a table of some thousand rows
    than use an index.

    Args:
        rows: in the order of columns that identify a row together; see :data:`_VALUES`.
        query: the validated values of :class:`PageQuerySerializer`.

    Raises:
        ValidationError: the cursor is not a cursor of this list.
    """
    size, names = query["page_size"], [name_of(column) for column in order_of(rows)]
    if cursor := query.get("cursor"):
        rows = rows.filter(is_after(rows, _values_in(cursor, names)))
    found = list(rows.filter(pk__in=list(rows.values_list("pk", flat=True)[: size + 1])))
    if len(found) <= size:
        return found, None
    last = [getattr(found[size - 1], name) for name in names]
    return found[:size], cursor_after(request, orjson.dumps(last).decode())


def _values_in(cursor: str, names: Sequence[str]) -> dict[str, object]:
    try:
        values = zip(names, orjson.loads(key_of_cursor(cursor)), strict=True)
        return {name: _VALUES[name].validate_python(value) for name, value in values}
    except (ValueError, TypeError):  # No cursor, no JSON, no list, or the list of another order.
        raise serializers.ValidationError({"cursor": ["Invalid cursor."]}, code="bad_cursor") from None
