"""Configurations in the shapes of Open edX: of all channels, of one channel, and the check of their health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import Http404
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.access import edits
from enterprise_catalog.integrated_channels.access.configurations import validate as validate_configuration
from enterprise_catalog.integrated_channels.access.connections import check_connection
from enterprise_catalog.integrated_channels.api.open_edx.members import (
    CHANNEL_MEMBERS,
    MEMBERS_BY_CODE,
    Members,
    columns_of,
    credentials_of,
    member_of,
)
from enterprise_catalog.integrated_channels.api.open_edx.representation import as_open_edx, with_run_times
from enterprise_catalog.integrated_channels.api.permissions import (
    find_configuration,
    require_customer,
    unknown,
    visible_configurations,
)
from enterprise_catalog.integrated_channels.api.throttles import LMS_THROTTLES
from enterprise_catalog.integrated_channels.api.views.base import ChannelsView
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.web.rest.input import body_of, validate

if TYPE_CHECKING:
    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet
    from enterprise_catalog.web.rest.input import Values


#: For the decision log: the portal does not ask for a reason.
_REASON: Final = "Changed in the admin portal of Open edX."


class OpenEdXPagination(PageNumberPagination):
    """Numbered pages: 10 a page by default, at most 100."""

    page_size = 10
    page_size_query_param = "page_size"
    max_page_size = 100


class CustomerQuerySerializer(serializers.Serializer[object]):
    enterprise_customer = serializers.UUIDField()


class CommonMembersSerializer(serializers.Serializer[object]):
    """The members that all channels have, as far as they can be written. Other members are ignored, as in Open edX."""

    display_name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    active = serializers.BooleanField(required=False)
    enterprise_customer = serializers.UUIDField(required=False)
    transmission_chunk_size = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class HealthQuerySerializer(serializers.Serializer[object]):
    channel_code = serializers.ChoiceField(list(MEMBERS_BY_CODE))
    uuid = serializers.UUIDField()


class OpenEdXView(ChannelsView):
    """A view in the shapes of one of the plug-ins."""

    schema = None  # The shapes are Open edX's.
    is_old = False  #: The old plug-in's names of members; set by the URL.

    def shown(self, configuration: ChannelConfiguration) -> dict[str, object]:
        """Return the configuration as the plug-in returns it."""
        [row] = with_run_times(type(configuration).objects.filter(pk=configuration.pk))
        return as_open_edx(row, self.request, is_old=self.is_old)


class ConfigurationsOfCustomerView(OpenEdXView):
    """``configs/``: the configurations of a customer, of all channels."""

    def get(self, request: Request) -> Response:
        """Return all configurations of the customer, in one list."""
        customer = validate(CustomerQuerySerializer, request.query_params.dict())["enterprise_customer"]
        require_customer(request, customer)
        rows = visible_configurations(request).filter(
            enterprise_customer_uuid=customer, channel_code__in=MEMBERS_BY_CODE
        )
        return Response([as_open_edx(row, request, is_old=self.is_old) for row in with_run_times(rows).order_by("pk")])


class _OfChannelView(OpenEdXView):
    """A view of configurations of the channel in the URL."""

    members: Members

    def initial(self, request: Request, *args: object, channel: str, **kwargs: object) -> None:
        super().initial(request, *args, channel=channel, **kwargs)
        if channel not in CHANNEL_MEMBERS:
            raise Http404("There is no such channel.")
        self.members = CHANNEL_MEMBERS[channel]

    def handle_exception(self, exc: Exception) -> Response:
        """Name the members of Open edX in the errors of a configuration."""
        if isinstance(exc, edits.InvalidConfigurationError):
            problems = {member_of(column, self.members): texts for column, texts in exc.problems.items()}
            exc = ValidationError(problems, code="invalid")
        return super().handle_exception(exc)

    def rows(self, request: Request) -> ConfigurationQuerySet:
        """Return the channel's configurations that the caller sees."""
        return visible_configurations(request).filter(channel_code=self.members.code)

    def find(self, request: Request, pk: int) -> ChannelConfiguration:
        """Return a configuration of the channel. Raises as :func:`find_configuration`."""
        found = self.rows(request).filter(pk=pk).first()
        if found is None:
            raise unknown(request, f"There is no configuration {pk}.")
        return found

    def entered(self, request: Request) -> tuple[Values, Values]:
        """Return the body, with the common members validated, and only the common members."""
        body = body_of(request)
        common = validate(CommonMembersSerializer, body)
        if not isinstance(body.get(self.members.base_url, ""), str):
            raise ValidationError({self.members.base_url: ["Must be a string."]}, code="invalid")
        return {**body, **common}, common


class ChannelConfigurationsView(_OfChannelView):
    """``{channel}/configuration/``: list and create."""

    def get(self, request: Request, channel: str) -> Response:
        """Return one page of the channel's configurations."""
        paginator = OpenEdXPagination()
        rows = with_run_times(self.rows(request)).order_by("pk")
        page = paginator.paginate_queryset(rows, request, view=self) or []
        return paginator.get_paginated_response([as_open_edx(row, request, is_old=self.is_old) for row in page])

    def post(self, request: Request, channel: str) -> Response:
        """Create a configuration, inactive unless ``active`` is sent."""
        values, common = self.entered(request)
        if "enterprise_customer" not in common:
            raise ValidationError({"enterprise_customer": ["This field is required."]}, code="required")
        require_customer(request, common["enterprise_customer"])
        columns = {"active": False, **columns_of(values, self.members, {}), "channel_code": self.members.code}
        made = edits.create_configuration(columns, credentials_of(values, self.members))
        return Response(self.shown(made), status=status.HTTP_201_CREATED)


class ChannelConfigurationView(_OfChannelView):
    """``{channel}/configuration/{id}/``: read, change and delete."""

    def get(self, request: Request, channel: str, pk: int) -> Response:
        """Return the configuration."""
        return Response(self.shown(self.find(request, pk)))

    def put(self, request: Request, channel: str, pk: int) -> Response:
        """Change the members that are sent; the portal sends only ``active`` to switch a configuration on or off."""
        configuration = self.find(request, pk)
        values, _ = self.entered(request)
        changed = edits.change_configuration(
            pk,
            columns_of(values, self.members, configuration.settings),
            credentials_of(values, self.members) or None,
            by=request.user.get_username(),
            now=timezone.now(),
            reason=_REASON,
            keeps_others=True,
        )
        return Response(self.shown(changed))

    def patch(self, request: Request, channel: str, pk: int) -> Response:
        """Change the members that are sent."""
        return self.put(request, channel, pk)

    def delete(self, request: Request, channel: str, pk: int) -> Response:
        """Deactivate the configuration, and remove it from the lists."""
        edits.delete_configuration(self.find(request, pk), by=request.user.get_username(), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class GlobalConfigurationView(OpenEdXView):
    """``blackboard/global-configuration/``: always an empty page; each configuration has its own application."""

    def get(self, request: Request) -> Response:
        """Return an empty page."""
        return Response({"count": 0, "next": None, "previous": None, "results": []})


class HealthView(OpenEdXView):
    """``configs/health-check``: the result of a connection to the LMS."""

    throttle_classes = LMS_THROTTLES

    def get(self, request: Request) -> Response:
        """Connect to the LMS for up to 30 seconds; return ``HEALTHY``, ``INVALID_CONFIG`` or ``CONNECTION_FAILURE``."""
        query = validate(HealthQuerySerializer, request.query_params.dict())
        configuration = find_configuration(request, query["uuid"].int)
        if configuration.channel_code != query["channel_code"]:
            raise unknown(request, "There is no such configuration.")
        health = _health(configuration)
        return Response({"is_healthy": health == "HEALTHY", "health_status": health})


def _health(configuration: ChannelConfiguration) -> str:
    try:
        validate_configuration(configuration)
    except ConfigurationError:
        return "INVALID_CONFIG"
    return "CONNECTION_FAILURE" if check_connection(configuration, clock=timezone.now) else "HEALTHY"
