"""``configurations/``: customers' connections to their LMSs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.access import edits
from enterprise_catalog.integrated_channels.api.pages import page_of, read_page
from enterprise_catalog.integrated_channels.api.permissions import (
    find_configuration,
    require_customer,
    require_operator,
    visible_configurations,
)
from enterprise_catalog.integrated_channels.api.privacy import without_pause_reasons
from enterprise_catalog.integrated_channels.api.serializers.configurations import (
    OPERATOR_FIELDS,
    ConfigurationChangeSerializer,
    ConfigurationCreateSerializer,
    ConfigurationQuerySerializer,
    ConfigurationSerializer,
    columns_of,
)
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.models import Status
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Parameter of the list -> column.
_FILTERS = {
    "enterprise_customer": "enterprise_customer_uuid",
    "channel": "channel_code",
    "active": "active",
}


class ConfigurationListView(ChannelsView):
    """The configurations that the caller sees."""

    @documented(
        "configuration_list",
        errors=BAD_PARAMETER,
        parameters=[ConfigurationQuerySerializer],
        responses=page_of(ConfigurationSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return one page of configurations, oldest first. Returns 403 for a customer that the caller does not see."""
        query = validate(ConfigurationQuerySerializer, request.query_params.dict())
        if customer := query.get("enterprise_customer"):
            require_customer(request, customer)
        columns = {column: query[name] for name, column in _FILTERS.items() if query.get(name) is not None}
        if state := query.get("state"):
            columns["status__rank"] = Status(state).rank  # Each state has its rank, which an index contains.
        found = visible_configurations(request).filter(**columns).order_by("id")
        rows, following = read_page(request, found, query)
        return Response(
            {
                "next": following,
                "results": ConfigurationSerializer(without_pause_reasons(rows, request), many=True).data,
            }
        )

    @documented(
        "configuration_create",
        errors=BAD_OBJECT | {"503": "The database or the catalog service is unavailable."},
        request=ConfigurationCreateSerializer,
        responses={201: ConfigurationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a configuration. If it is active, its first sync is due at once."""
        values = validate(ConfigurationCreateSerializer, body_of(request))
        require_customer(request, values["enterprise_customer"])
        if values["skip_customer_check"] or OPERATOR_FIELDS & values.keys() - {"skip_customer_check"}:
            require_operator(request, values["enterprise_customer"])
        configuration = edits.create_configuration(
            columns_of(values), values["credentials"], skip_customer_check=values["skip_customer_check"]
        )
        return _respond(request, configuration, status=status.HTTP_201_CREATED)


class ConfigurationDetailView(ChannelsView):
    """One configuration."""

    @documented("configuration_detail", errors=UNKNOWN, responses=ConfigurationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the configuration."""
        return _respond(request, find_configuration(request, pk))

    @documented(
        "configuration_change",
        errors=BAD_OBJECT | UNKNOWN,
        request=ConfigurationChangeSerializer,
        responses=ConfigurationSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the fields that are sent. Customer and channel cannot be changed. A pause needs a ``reason``."""
        configuration = find_configuration(request, pk)
        values = validate(ConfigurationChangeSerializer, body_of(request))
        if OPERATOR_FIELDS & values.keys():
            require_operator(request, configuration.enterprise_customer_uuid)
        if configuration.active and not values.get("active", True) and not values["reason"]:
            raise ValidationError({"reason": ["Enter the reason for the pause."]}, code="required")
        changed = edits.change_configuration(
            pk,
            columns_of(values),
            values.get("credentials"),
            by=request.user.get_username(),
            now=timezone.now(),
            reason=values["reason"],
        )
        return _respond(request, changed)

    @documented("configuration_delete", errors=UNKNOWN, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Deactivate the configuration, and remove it from this API. Its records are kept."""
        edits.delete_configuration(find_configuration(request, pk), by=request.user.get_username(), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _respond(request: Request, configuration: ChannelConfiguration, *, status: int = status.HTTP_200_OK) -> Response:
    [shown] = without_pause_reasons([configuration], request)
    return Response(ConfigurationSerializer(shown).data, status=status)
