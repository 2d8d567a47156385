"""Shared code of the views: the permission, pages, and the errors of configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import APIView

from enterprise_catalog.integrated_channels.access.edits import InvalidConfigurationError
from enterprise_catalog.integrated_channels.api.permissions import HasChannelRole
from enterprise_catalog.integrated_channels.api.serializers.configurations import field_of
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError

if TYPE_CHECKING:
    from rest_framework.response import Response

#: For the OpenAPI schema: the errors of operations on one row.
UNKNOWN: Final = {"404": "The row does not exist (for callers with a role for all customers)."}


class CatalogServiceError(APIException):
    """The catalog service could not be asked; the same request may succeed later."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "catalog_unavailable"


class ChannelsView(APIView):
    """A view for callers with a role for at least one customer's channels."""

    permission_classes = (HasChannelRole,)

    def handle_exception(self, exc: Exception) -> Response:
        """Translate the errors of ``access/`` into errors of the API."""
        match exc:
            case InvalidConfigurationError():
                problems = {field_of(column): texts for column, texts in exc.problems.items()}
                return super().handle_exception(ValidationError(problems, code="invalid"))
            case CatalogUnavailableError():
                return super().handle_exception(CatalogServiceError(exc.message))
        return super().handle_exception(exc)
