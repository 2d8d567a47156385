"""Events of configurations, subscriptions to them, and the messages to the subscribers."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH
from enterprise_catalog.integrated_channels.models.fields import count_field


class EventKind(models.TextChoices):
    """The events that users are notified of. A configuration has at most one open event of each kind."""

    STOPPED = "stopped", _("stopped")  #: The LMS rejects the credentials, or the configuration is invalid.
    UNREACHABLE = "unreachable", _("unreachable")  #: All calls fail: the LMS or the catalog service is down.
    HELD = "held", _("deletes held")  #: Deletes are waiting for approval.
    LATE = "late", _("late")  #: A change has not reached the LMS within the freshness goal.


class Resolution(models.TextChoices):
    """The end of an event."""

    RECOVERED = "recovered", _("recovered")
    PAUSED = "paused", _("paused")  #: The configuration was paused or deleted; no message is sent.
    REPLACED = "replaced", _("replaced by another event")  #: No message is sent.


class Notification(models.Model):
    """One event of one configuration, from its beginning to its end."""

    configuration = models.ForeignKey(
        ChannelConfiguration,
        models.CASCADE,
        verbose_name=_("configuration"),
        related_name="notifications",
        db_index=False,
    )
    kind = models.CharField(_("event"), max_length=16, choices=EventKind)
    opened_at = models.DateTimeField(_("opened at"))
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason of the run that stopped."))
    items = count_field(_("items"), _("Number of held deletes, when the event began."))
    next_step_at = models.DateTimeField(
        null=True, help_text=_("When subscribers are to be notified of the beginning or the end; empty if done.")
    )
    announced_at = models.DateTimeField(
        _("announced at"), null=True, help_text=_("When messages about the beginning were queued; empty if never.")
    )
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    resolution = models.CharField(_("resolution"), max_length=16, blank=True, choices=Resolution)
    # True or NULL: a unique constraint ignores rows with NULL, on each database.
    is_open = models.GeneratedField(
        verbose_name=_("open"),
        expression=Case(When(resolved_at=None, then=Value(value=True)), default=None),
        output_field=models.BooleanField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = (
            # Serves the query for a configuration's open events, and the list of its events.
            models.UniqueConstraint(fields=("configuration", "kind", "is_open"), name="event_is_open_once"),
        )
        indexes = (
            # Serves the search for events whose subscribers are to be notified.
            models.Index(fields=("next_step_at",), name="event_by_next_step"),
            # Serves the check of open events, and the list filtered by open events.
            models.Index(fields=("is_open", "kind", "opened_at"), name="event_by_open"),
            # Serves the list, and the removal of old events.
            models.Index(fields=("opened_at",), name="event_by_opening"),
            # Serves the list filtered by kind.
            models.Index(fields=("kind", "opened_at"), name="event_by_kind"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Medium(models.TextChoices):
    """The ways to notify a subscriber."""

    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")
    SLACK = "slack", _("webhook with a Slack-compatible body")


class Digest(models.TextChoices):
    """The number of messages that a subscriber gets."""

    AT_ONCE = "at_once", _("within a minute")
    HOURLY = "hourly", _("once an hour")
    DAILY = "daily", _("once a day")


class Subscription(models.Model):
    """An e-mail address or webhook that is notified of events: of one configuration, of one customer, or of all."""

    # Serves the query for an event's subscribers.
    configuration = models.ForeignKey(
        ChannelConfiguration,
        models.CASCADE,
        verbose_name=_("configuration"),
        null=True,
        blank=True,
        related_name="subscriptions",
        help_text=_("Leave empty for all configurations, or for those of one customer."),
    )
    # Serves the query for an event's subscribers.
    enterprise_customer_uuid = models.UUIDField(
        _("enterprise customer UUID"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("For the events of all configurations of one customer."),
    )
    medium = models.CharField(_("medium"), max_length=16, choices=Medium, default=Medium.EMAIL)
    email = models.EmailField(_("e-mail address"), blank=True)
    webhook = models.TextField(
        editable=False, blank=True, help_text=_("URL and secret, encrypted; see credentials.py.")
    )
    webhook_host = models.CharField(_("host of the webhook"), max_length=255, blank=True, editable=False)
    kinds = models.JSONField(_("events"), default=list, blank=True, help_text=_("Kinds of events; empty for all."))
    with_recoveries = models.BooleanField(
        _("also when it recovers"), default=True, help_text=_("Also notify when an event ends.")
    )
    digest = models.CharField(
        _("messages"),
        max_length=16,
        choices=Digest,
        default=Digest.AT_ONCE,
        help_text=_("Hourly messages are sent on the hour, daily ones at 06:00 UTC. Without events, none is sent."),
    )
    muted = models.BooleanField(_("muted"), default=False, help_text=_("Send nothing. Events are not sent later."))
    is_customers = models.BooleanField(
        _("managed by the customer"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Created by an admin of the customer. The customer's admins manage only such subscriptions."),
    )
    created_by = models.CharField(_("created by"), max_length=MAX_NAME_LENGTH, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = (
            models.CheckConstraint(
                condition=Q(configuration=None) | Q(enterprise_customer_uuid=None), name="subscription_has_one_scope"
            ),
        )

    def __str__(self) -> str:
        return self.email or self.webhook_host


class DeliveryState(models.TextChoices):
    """State of a message."""

    WAITING = "waiting", _("waiting")  #: To be sent at ``next_attempt_at``, or being sent.
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")  #: Given up; see ``response``.
    SKIPPED = "skipped", _("skipped")  #: The subscription was muted or deleted.


class Delivery(models.Model):
    """One message to one subscriber, about one or more events."""

    # Serves no query, but the rule: sent with the message, so that a receiver recognizes a repeated one.
    message_id = models.UUIDField(_("message ID"), default=uuid.uuid4, unique=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, models.SET_NULL, verbose_name=_("subscription"), null=True, related_name="deliveries"
    )
    recipient = models.CharField(_("recipient"), max_length=255, help_text=_("E-mail address, or host of the webhook."))
    is_test = models.BooleanField(_("test"), default=False)
    state = models.CharField(_("state"), max_length=16, choices=DeliveryState, default=DeliveryState.WAITING)
    created_at = models.DateTimeField(_("created at"))
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), null=True, help_text=_("During an attempt: when another worker may repeat it.")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    message = models.JSONField(null=True, help_text=_("As sent; written at the first attempt, the same for all."))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, help_text=_("HTTP status."))
    response = models.TextField(_("response"), blank=True, help_text=_("Of the last attempt, or the reason."))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = (
            # Serves the search for messages to send.
            models.Index(fields=("state", "next_attempt_at"), name="delivery_by_next_attempt"),
            # Serves the search for a subscriber's waiting messages. They are sent in this order.
            models.Index(fields=("subscription", "state", "id"), name="delivery_by_subscription"),
            # Serves the list, and the removal of old messages.
            models.Index(fields=("created_at",), name="delivery_by_creation"),
        )

    def __str__(self) -> str:
        return f"{self.recipient}, {self.created_at:%Y-%m-%d %H:%M}"


class DeliveryItem(models.Model):
    """One event in a message: its beginning or its end. Each subscriber gets each at most once."""

    # Serves the list of a message's events.
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="events")
    notification = models.ForeignKey(Notification, models.CASCADE, related_name="delivered", db_index=False)
    # Serves the foreign key, when a subscription is deleted.
    subscription = models.ForeignKey(Subscription, models.SET_NULL, null=True, related_name="+")
    is_recovery = models.BooleanField(help_text=_("About the end of the event."))

    class Meta:
        constraints = (
            # Serves the list of an event's messages.
            models.UniqueConstraint(fields=("notification", "subscription", "is_recovery"), name="delivered_once"),
        )

    def __str__(self) -> str:
        return f"event {self.notification_id} in message {self.delivery_id}"
