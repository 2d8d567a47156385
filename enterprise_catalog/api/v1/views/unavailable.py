"""Addresses of Open edX's service without content: bad UUIDs, and features that this service does not offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

if TYPE_CHECKING:
    from rest_framework.request import Request

NO_SEARCH_INDEX: Final = "This service has no search index, and therefore no keys for it."


class NotUUIDConverter:
    """A part of a path that is no UUID."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Return the text.

        Raises:
            ValueError: it is a UUID, so that the path does not match.
        """
        try:
            UUID(value)
        except ValueError:
            return value
        raise ValueError(value)

    def to_url(self, value: str) -> str:
        """Return the text."""
        return value


class BadCustomerView(APIView):
    """A customer that is not a UUID."""

    permission_classes = (IsAuthenticated,)
    schema = None

    def get(self, request: Request, **_: str) -> None:
        """Return 400.

        Raises:
            ValidationError: always.
        """
        raise ValidationError({"enterprise_customer": ["Must be a valid UUID."]}, code="invalid")

    post = get


class SearchKeyView(APIView):
    """Keys for a search index, which portals ask for."""

    permission_classes = (IsAuthenticated,)
    schema = None

    def get(self, request: Request, **_: object) -> None:
        """Return 404.

        Raises:
            NotFound: always.
        """
        raise NotFound(NO_SEARCH_INDEX, code="not_offered")
