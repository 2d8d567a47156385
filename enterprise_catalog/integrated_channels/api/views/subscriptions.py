"""``subscriptions/``: who is notified of the events of configurations, and how.

A customer's admin manages the subscriptions that admins of the customer have created. Those of staff are hidden: they
contain the addresses of staff, and a customer must not mute them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from enterprise_catalog.integrated_channels.api.pages import page_of, read_page
from enterprise_catalog.integrated_channels.api.permissions import (
    OPERATOR,
    admin_scope,
    find_configuration,
    require_customer,
    unknown,
    visible_configurations,
)
from enterprise_catalog.integrated_channels.api.serializers.subscriptions import (
    SubscriptionChangeSerializer,
    SubscriptionCreateSerializer,
    SubscriptionQuerySerializer,
    SubscriptionSerializer,
    TestMessageSerializer,
)
from enterprise_catalog.integrated_channels.api.throttles import LMS_THROTTLES
from enterprise_catalog.integrated_channels.api.views.base import UNKNOWN, ChannelsView
from enterprise_catalog.integrated_channels.models import Medium, Subscription
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH
from enterprise_catalog.integrated_channels.reporting.notifications.deliveries import send_test
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import (
    MAX_CUSTOMERS_SUBSCRIPTIONS,
    Recipient,
    customers_subscriptions,
    set_recipient,
)
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.roles import Scope, contexts_in_token
from enterprise_catalog.web.rest.schema import BAD_OBJECT, BAD_PARAMETER, documented

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from enterprise_catalog.web.rest.input import Values

#: Fields of a body that :func:`set_recipient` stores.
_RECIPIENT = ("medium", "email", "url", "secret")
_OPTIONS = ("kinds", "with_recoveries", "digest", "muted")


class SubscriptionListView(ChannelsView):
    """The subscriptions that the caller manages."""

    @documented(
        "subscription_list",
        errors=BAD_PARAMETER | UNKNOWN,
        parameters=[SubscriptionQuerySerializer],
        responses=page_of(SubscriptionSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return one page of subscriptions, oldest first. Returns 403 for a customer that the caller does not see."""
        query = validate(SubscriptionQuerySerializer, request.query_params.dict())
        rows = _visible(request).order_by("id")
        if customer := query.get("enterprise_customer"):
            require_customer(request, customer)
            rows = rows.filter(enterprise_customer_uuid=customer)
        if configuration := query.get("configuration"):
            rows = rows.filter(configuration=find_configuration(request, configuration))
        found, following = read_page(request, rows, query)
        shown = SubscriptionSerializer(found, many=True, context={"request": request})
        return Response({"next": following, "results": shown.data})

    @documented(
        "subscription_create",
        errors=BAD_OBJECT | UNKNOWN,
        request=SubscriptionCreateSerializer,
        responses={201: SubscriptionSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a subscription. Only operators for all customers may subscribe to all configurations."""
        values = validate(SubscriptionCreateSerializer, body_of(request))
        subscription = Subscription(created_by=request.user.get_username()[:MAX_NAME_LENGTH])
        customer = _set_scope(request, subscription, values)
        subscription.is_customers = customer not in _operator_scope(request)
        if subscription.is_customers and customers_subscriptions(customer) >= MAX_CUSTOMERS_SUBSCRIPTIONS:
            text = f"The customer has {MAX_CUSTOMERS_SUBSCRIPTIONS} subscriptions. Delete one first."
            raise ValidationError({"enterprise_customer": [text]}, code="too_many")
        _set_fields(subscription, values)
        subscription.save()
        return _respond(request, subscription, status=status.HTTP_201_CREATED)


class SubscriptionDetailView(ChannelsView):
    """One subscription."""

    @documented("subscription_detail", errors=UNKNOWN, responses=SubscriptionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the subscription."""
        return _respond(request, _find(request, pk))

    @documented(
        "subscription_change",
        errors=BAD_OBJECT | UNKNOWN,
        request=SubscriptionChangeSerializer,
        responses=SubscriptionSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the fields that are sent. Configuration and customer cannot be changed."""
        subscription = _find(request, pk)
        values = validate(SubscriptionChangeSerializer, body_of(request))
        subscription.save(update_fields=_set_fields(subscription, values))
        return _respond(request, subscription)

    @documented("subscription_delete", errors=UNKNOWN, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the subscription. Messages that wait are not sent."""
        _find(request, pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class TestMessageView(ChannelsView):
    """A test message to a subscriber."""

    throttle_classes = LMS_THROTTLES

    @documented("subscription_test", errors=UNKNOWN, request=None, responses=TestMessageSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Send a test message now, also if the subscription is muted, and return the result. Takes up to 20 seconds."""
        return Response(TestMessageSerializer(send_test(_find(request, pk), clock=timezone.now)).data)


def _operator_scope(request: Request) -> Scope:
    return Scope.of(contexts_in_token(request, OPERATOR))


def _visible(request: Request) -> QuerySet[Subscription]:
    """Return the subscriptions that the caller manages; see the module's docstring."""
    scope = _operator_scope(request)
    configurations = visible_configurations(request)
    if scope.is_unlimited:
        return Subscription.objects.filter(Q(configuration=None) | Q(configuration__in=configurations))
    of_customer = Q(configuration__in=configurations)
    if admin_scope(request).is_unlimited:
        of_customer |= Q(enterprise_customer_uuid__isnull=False)
    else:
        of_customer |= Q(enterprise_customer_uuid__in=admin_scope(request).customers)
    of_operator = Q(configuration__enterprise_customer_uuid__in=scope.customers)
    of_operator |= Q(enterprise_customer_uuid__in=scope.customers)
    return Subscription.objects.filter(of_customer, Q(is_customers=True) | of_operator)


def _find(request: Request, pk: int) -> Subscription:
    """Return a subscription that the caller manages. Raises as :func:`find_configuration`."""
    found = _visible(request).filter(pk=pk).first()
    if found is None:
        raise unknown(request, f"There is no subscription {pk}.")
    return found


def _set_scope(request: Request, subscription: Subscription, values: Values) -> UUID | None:
    """Set what the subscription is about, and return the customer; ``None`` for all customers.

    Raises:
        PermissionDenied, Http404: the caller does not see the configuration or the customer.
        ValidationError: a configuration and a customer were sent.
    """
    customer: UUID | None = values.get("enterprise_customer")
    if "configuration" in values:
        if customer is not None:
            text = "Send a configuration or a customer, not both."
            raise ValidationError({"enterprise_customer": [text]}, code="invalid")
        subscription.configuration = find_configuration(request, values["configuration"])
        return subscription.configuration.enterprise_customer_uuid
    if customer is not None:
        require_customer(request, customer)
        subscription.enterprise_customer_uuid = customer
    elif not _operator_scope(request).is_unlimited:
        raise PermissionDenied("Only an operator may subscribe to all configurations.", code="operator_required")
    return customer


def _set_fields(subscription: Subscription, values: Values) -> list[str]:
    """Set the validated fields of a body, and return the names of the columns that are set.

    Raises:
        ValidationError: the fields of the recipient are invalid, or do not belong to the medium.
    """
    columns = [name for name in _OPTIONS if name in values]
    for name in columns:
        setattr(subscription, name, values[name])
    if not values.keys().isdisjoint(_RECIPIENT):
        columns += _set_recipient(subscription, values)
    return columns


def _set_recipient(subscription: Subscription, values: Values) -> list[str]:
    medium = Medium(values.get("medium", subscription.medium))
    others = ("url", "secret") if medium is Medium.EMAIL else ("email",)
    if wrong := [name for name in others if name in values]:
        raise ValidationError({name: [f"Not a field of {medium.value}."] for name in wrong}, code="invalid")
    email = values.get("email", subscription.email)
    entered = Recipient(medium, email=email, url=values.get("url", ""), secret=values.get("secret", ""))
    if problems := set_recipient(subscription, entered):
        raise ValidationError(problems, code="invalid")
    return ["medium", "email", "webhook", "webhook_host"]


def _respond(request: Request, subscription: Subscription, *, status: int = status.HTTP_200_OK) -> Response:
    return Response(SubscriptionSerializer(subscription, context={"request": request}).data, status=status)
