"""Keyset pagination: every page of a list has the same cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from django.db.models import Q
from pydantic import AwareDatetime, Field, TypeAdapter
from pydantic import ValidationError as PydanticError
from rest_framework import serializers

from enterprise_catalog.web.rest.cursors import BadCursorError, cursor_after, key_of_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet
    from rest_framework.request import Request

    M = TypeVar("M", bound=Model)

MAX_PAGE_SIZE: Final = 500

_Id = Annotated[int, Field(ge=0, lt=2**63)]
_Key = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]


class PageQuerySerializer(serializers.Serializer[object]):
    """The parameters of all lists."""

    cursor = serializers.CharField(
        required=False, help_text="Opaque; copy it from the previous page's `next`. Omit it for the first page."
    )
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MAX_PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Keyset:
    """Columns that order a list and together identify a row of it; all ascending, or all descending."""

    columns: tuple[str, ...]  #: As for ``order_by``, such as ``("-started_at", "-id")``.
    values: TypeAdapter[Any]  #: Validates the tuple of a row's values.

    def page(self, request: Request, rows: QuerySet[M], query: Mapping[str, Any]) -> tuple[list[M], str | None]:
        """Return one page of ``rows``, and the URL of the next page; ``None`` after the last page.

        Args:
            query: the validated values of :class:`PageQuerySerializer`.

        Raises:
            ValidationError: the cursor is not a cursor of this list.
        """
        size = query["page_size"]
        rows = rows.order_by(*self.columns)
        if cursor := query.get("cursor"):
            rows = rows.filter(self._after(cursor))
        found = list(rows[: size + 1])
        if len(found) <= size:
            return found, None
        last = tuple(getattr(found[size - 1], name) for name in self._names)
        return found[:size], cursor_after(request, self.values.dump_json(last).decode())

    @property
    def _names(self) -> list[str]:
        return [column.removeprefix("-") for column in self.columns]

    def _after(self, cursor: str) -> Q:
        """Return the condition of the rows after ``cursor``: ``a > 1 OR (a = 1 AND b > 2)``."""
        try:
            values = self.values.validate_json(key_of_cursor(cursor))
        except (BadCursorError, PydanticError):
            raise serializers.ValidationError({"cursor": ["Invalid cursor."]}, code="bad_cursor") from None
        comparison = "lt" if self.columns[0].startswith("-") else "gt"
        named = list(zip(self._names, values, strict=True))
        return reduce(
            or_,
            (
                Q(**dict(named[:position]), **{f"{name}__{comparison}": value})
                for position, (name, value) in enumerate(named)
            ),
        )


BY_ID: Final = Keyset(("id",), TypeAdapter(tuple[_Id]))
NEWEST_FIRST: Final = Keyset(("-id",), TypeAdapter(tuple[_Id]))
NEWEST_START_FIRST: Final = Keyset(("-started_at", "-id"), TypeAdapter(tuple[AwareDatetime, _Id]))
BY_KEY_AND_ID: Final = Keyset(("content_key", "id"), TypeAdapter(tuple[_Key, _Id]))
BY_KEY: Final = Keyset(("content_key",), TypeAdapter(tuple[_Key]))
