"""Shared code of the views of one catalog: the lookup, the customer, and reading the body after the access check."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from django.http import Http404, HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import ValidationError
from rest_framework.views import APIView

from enterprise_catalog.api.parsers import ContentKeysParser
from enterprise_catalog.api.v1.permissions import HasRoleForCustomer
from enterprise_catalog.catalog.models import EnterpriseCatalog
from enterprise_catalog.catalog.versions.state import CatalogState, find_state
from enterprise_catalog.web.rest.input import declared_length, require_length

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpRequest, HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

    from enterprise_catalog.api.parsers import ParsedKeys


#: Errors of the operations on one catalog, for the OpenAPI schema: status -> description.
UNKNOWN_CATALOG: Final = {"404": "The catalog does not exist (for callers whose role has the context *)."}
#: Errors of the operations that take content keys in the body.
BAD_KEYS: Final = UNKNOWN_CATALOG | {
    "400": "The body is invalid. The message contains the position of the first invalid key.",
    "411": "The body has no Content-Length.",
    "413": "The body is larger than 64 MiB, or its strings take too much memory.",
    "415": "The content type is not application/json.",
}


class CatalogView(APIView):
    """A view of the catalog whose UUID is in the URL."""

    permission_classes = (HasRoleForCustomer,)
    parser_classes = (ContentKeysParser,)
    key_limits: tuple[int, int] = (0, 0)  #: The minimum and maximum number of content keys in a request's body.

    @cached_property
    def found(self) -> CatalogState | None:
        """The catalog's state at the first access; ``None`` if there is no catalog with this UUID."""
        return find_state(self.kwargs["uuid"])

    def get_customer_uuid(self) -> UUID | None:
        """Return the UUID of the catalog's customer, for the permission check; ``None`` if there is no such catalog."""
        return self.found.customer_uuid if self.found else None

    @property
    def catalog(self) -> CatalogState:
        """The catalog, once access is granted.

        Raises:
            Http404: there is no catalog with this UUID. Only callers with the context ``*`` get this far.
        """
        if self.found is None:
            raise Http404(f"There is no catalog {self.kwargs['uuid']}.")
        return self.found

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Respond, and drop the reference to the response: the view lives until the next garbage collection."""
        response = super().dispatch(request, *args, **kwargs)
        del self.response
        return response

    def handle_exception(self, exc: Exception) -> Response:
        """Return 404 if the catalog was deleted between the access check and the response."""
        return super().handle_exception(Http404() if isinstance(exc, EnterpriseCatalog.DoesNotExist) else exc)


def content_keys_of(request: Request, *, may_be_empty: bool = False) -> list[str]:
    """Return the content keys in the request's body, within the view's ``key_limits``.

    Args:
        may_be_empty: accept an empty body as an empty list of keys.

    Raises:
        ValidationError: the body is not valid.
        LengthRequiredError: the body is chunked.
    """
    require_length(request)
    if not declared_length(request):
        if may_be_empty:
            return []
        raise ValidationError({"content_keys": ["The body must be a JSON object with the field content_keys."]})
    parsed: object = request.data
    return cast("ParsedKeys", parsed).take()


def json_response(body: bytes, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a 200 response whose body is already JSON.

    DRF's ``Response`` refers to its view, and the view to the response. Large bodies would live until the next garbage
    collection.
    """
    return HttpResponse(body, content_type="application/json", headers=headers)


def not_modified(request: Request, etag: str) -> HttpResponseBase | None:
    """Return a 304 response if the caller already has the version named by ``etag`` (quoted), otherwise ``None``."""
    # DRF's request has all attributes of Django's request, but does not inherit from it.
    response: HttpResponseBase | None = get_conditional_response(cast("HttpRequest", request), etag=etag)
    if response is not None:
        for name, value in _caching(etag).items():
            response.headers[name] = value
    return response


def with_etag(body: bytes, etag: str) -> HttpResponse:
    """Return a 200 response whose body is already JSON, with an ETag that caches must revalidate every time."""
    return json_response(body, _caching(etag))


def _caching(etag: str) -> dict[str, str]:
    """Return the headers that a 200 and its 304 have in common (RFC 9110, 15.4.5)."""
    return {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie"}
