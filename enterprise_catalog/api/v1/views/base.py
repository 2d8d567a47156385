"""What all views of one catalog share: finding it, its customer, and reading the body once access is decided."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.utils.cache import get_conditional_response
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_catalog.catalog.models import EnterpriseCatalog
from enterprise_catalog.catalog.state import CatalogState, find_state

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer


class LengthRequiredError(APIException):
    """A body in chunks, without ``Content-Length``: DRF would take it for an empty one."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "Send the body with a Content-Length."
    default_code = "length_required"


class CatalogView(APIView):
    """A view of the catalog whose UUID is in the URL."""

    @cached_property
    def found(self) -> CatalogState | None:
        """The catalog as it is when this is first asked for; ``None`` when there is none of that UUID."""
        return find_state(self.kwargs["uuid"])

    def customer_in_question(self) -> UUID | None:
        """Return the catalog's customer, for the permission."""
        return self.found.customer_uuid if self.found else None

    @property
    def catalog(self) -> CatalogState:
        """The catalog, once access is granted.

        Raises:
            Http404: there is none of that UUID; only callers with the context ``*`` come this far then.
        """
        if self.found is None:
            raise Http404(f"There is no catalog {self.kwargs['uuid']}.")
        return self.found

    def handle_exception(self, exc: Exception) -> Response:
        """Answer 404 when the catalog was deleted between the check of access and the answer."""
        return super().handle_exception(Http404() if isinstance(exc, EnterpriseCatalog.DoesNotExist) else exc)


def body_of(request: Request, *, empty: Any = None) -> Any:
    """Return the parsed body; ``empty`` if it has no bytes.

    Raises:
        ValidationError: it is not JSON; said of ``content_keys``, since that is what the caller has to mend.
        LengthRequiredError: it came in chunks.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequiredError
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        return empty
    try:
        return request.data
    except ParseError as error:
        raise ValidationError({"content_keys": [str(error.detail)]}, code="parse_error") from error


def validated(serializer_class: type[BaseSerializer[Any]], data: Any) -> dict[str, Any]:
    """Return ``data``, a request's JSON, as the serializer's checked values.

    Raises:
        ValidationError: naming the field; a body that is no object is said of ``content_keys``.
    """
    if not isinstance(data, dict):
        raise ValidationError({"content_keys": ["The body must be a JSON object with the field content_keys."]})
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    checked: dict[str, Any] = serializer.validated_data
    return checked


def not_modified(request: Request, etag: str) -> HttpResponseBase | None:
    """Return the 304 that answers ``request`` if the caller has what ``etag`` (quoted) names already, else ``None``."""
    response: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)  # noqa: SLF001  (no public way)
    if response is not None:
        for name, value in _caching(etag).items():
            response.headers[name] = value
    return response


def with_etag(body: Any, etag: str) -> Response:
    """Return a 200 with an ETag, which caches have to check with us each time."""
    return Response(body, headers=_caching(etag))


def _caching(etag: str) -> dict[str, str]:
    """Return the headers that a 200 and its 304 have in common (RFC 9110, 15.4.5)."""
    return {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie"}
