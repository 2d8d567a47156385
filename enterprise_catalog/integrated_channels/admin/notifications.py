"""Admin pages of subscriptions, events and messages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from enterprise_catalog.admin_pages.actions.declaration import Result, runs
from enterprise_catalog.admin_pages.lists.filters import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    DayRangeFilter,
)
from enterprise_catalog.admin_pages.moments import moment, moment_field
from enterprise_catalog.admin_pages.pages import Page, ReadOnlyPage
from enterprise_catalog.admin_pages.rendering import EMPTY, badge, code_block, lines, link_to, shortened, stacked
from enterprise_catalog.admin_pages.widgets import CheckBoxes, SecretInput
from enterprise_catalog.integrated_channels.admin.sections.links import link_to_customer
from enterprise_catalog.integrated_channels.models import (
    Delivery,
    DeliveryState,
    Medium,
    Notification,
    Subscription,
)
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH
from enterprise_catalog.integrated_channels.reporting.notifications.deliveries import send_test
from enterprise_catalog.integrated_channels.reporting.notifications.messages import text_of, text_of_event
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import (
    Recipient,
    kind_choices,
    set_recipient,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.integrated_channels.reporting.notifications.messages import Message

    ModelForm = forms.ModelForm[Subscription]
else:
    ModelForm = forms.ModelForm

STATE_TONES: Final = {
    DeliveryState.WAITING: "info",
    DeliveryState.SENT: "success",
    DeliveryState.FAILED: "danger",
    DeliveryState.SKIPPED: "",
}
#: Subscriptions that one request tests at most: each may take 20 seconds.
MAX_TESTS: Final = 3
#: Messages on the page of an event.
FIRST_MESSAGES: Final = 100


class SubscriptionForm(ModelForm):
    """Form of a subscription. A stored URL and a stored secret are never shown."""

    kinds = forms.MultipleChoiceField(
        label=_("Events"), required=False, widget=CheckBoxes, help_text=_("Select none to be notified of all events.")
    )
    url = forms.CharField(
        label=_("URL of the webhook"),
        required=False,
        widget=SecretInput,
        help_text=_("It is stored encrypted and never shown. Leave the field empty to keep a stored URL."),
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        widget=SecretInput,
        help_text=_(
            "At least 16 characters. The receiver checks the signature of each message with it. Slack needs none. Leave"
            " the field empty to keep a stored secret."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.MultipleChoiceField", self.fields["kinds"]).choices = kind_choices()

    def clean(self) -> dict[str, Any]:
        cleaned = {**(super().clean() or {})}
        if cleaned.get("configuration") and cleaned.get("enterprise_customer_uuid"):
            self.add_error("enterprise_customer_uuid", gettext("Choose a configuration or enter a customer, not both."))
        if "medium" in cleaned:
            entered = {name: cleaned.get(name) or "" for name in ("email", "url", "secret")}
            for name, texts in set_recipient(self.instance, Recipient(Medium(cleaned["medium"]), **entered)).items():
                if name not in self.errors:
                    self.add_error(name, ValidationError(texts))
            if cleaned["medium"] != Medium.EMAIL:
                cleaned["email"] = ""
        return cleaned


@admin.register(Subscription)
class SubscriptionPage(Page):
    form = SubscriptionForm
    list_display = ("who", "about", "kinds_text", "digest", "state")
    list_filter = (
        ("configuration", AutocompleteSelectFilter),
        ("medium", ChoicesCheckboxFilter),
        ("muted", BooleanRadioFilter),
        ("is_customers", BooleanRadioFilter),
    )
    list_prefetch_related = ("configuration",)
    autocomplete_fields = ("configuration",)
    ordering = ("id",)
    sortable_by = ()
    actions = ("send_test_message", "mute", "unmute")
    fieldsets = (
        (_("Recipient"), {"fields": ("medium", "email", "url", "secret")}),
        (_("Events"), {"fields": ("configuration", "enterprise_customer_uuid", "kinds", "with_recoveries")}),
        (_("Messages"), {"fields": ("digest", "muted")}),
        (_("History"), {"fields": (("created_by", "is_customers"), "latest_messages")}),
    )
    readonly_fields = ("created_by", "is_customers", "latest_messages")

    def object_actions(self, request: HttpRequest, obj: Subscription) -> Sequence[str]:
        return ("send_test_message", "unmute" if obj.muted else "mute")

    @override
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()[:MAX_NAME_LENGTH]
        obj.save()  # All columns: the form sets those of the webhook itself. Only this form writes subscriptions.

    @admin.action(description=_("Send a test"), permissions=["change"])
    @runs(in_transaction=False, max_rows=MAX_TESTS)
    def send_test_message(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> Result:
        del request
        sent = [send_test(subscription, clock=timezone.now) for subscription in queryset]
        failed = sum(delivery.state != DeliveryState.SENT for delivery in sent)
        url = reverse("admin:integrated_channels_delivery_change", args=[sent[0].pk]) if len(sent) == 1 else ""
        return Result(
            Counter({gettext("sent"): len(sent) - failed}),
            Counter({gettext("failed; see the delivery"): failed}),
            url=url,
        )

    @admin.action(description=_("Mute"), permissions=["change"])
    @runs()
    def mute(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> Result:
        del request
        return Result(Counter({gettext("muted"): queryset.update(muted=True)}))

    @admin.action(description=_("Unmute"), permissions=["change"])
    @runs()
    def unmute(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> Result:
        del request
        return Result(Counter({gettext("unmuted"): queryset.update(muted=False)}))

    @admin.display(description=_("recipient"))
    def who(self, subscription: Subscription) -> str:
        return stacked(subscription, subscription.get_medium_display())

    @admin.display(description=_("configurations"))
    def about(self, subscription: Subscription) -> str:
        if subscription.configuration is not None:
            return link_to(subscription.configuration)
        if subscription.enterprise_customer_uuid is not None:
            return link_to_customer(subscription.enterprise_customer_uuid)
        return gettext("all")

    @admin.display(description=_("events"))
    def kinds_text(self, subscription: Subscription) -> str:
        titles = [text.partition(":")[0] for kind, text in kind_choices() if kind in subscription.kinds]
        return ", ".join(titles) or gettext("all")

    @admin.display(description=_("state"))
    def state(self, subscription: Subscription) -> str:
        return badge(gettext("muted"), "") if subscription.muted else badge(gettext("active"), "success")

    @admin.display(description=_("latest deliveries"))
    def latest_messages(self, subscription: Subscription) -> str:
        if subscription.pk is None:
            return EMPTY
        return lines(_delivery_lines(subscription.deliveries.order_by("-pk")[:10]))


@admin.register(Notification)
class NotificationPage(ReadOnlyPage):
    list_display = ("what", "where", "opened", "resolved")
    list_filter = (
        ("configuration", AutocompleteSelectFilter),
        ("kind", ChoicesCheckboxFilter),
        ("is_open", BooleanRadioFilter),
        ("opened_at", DayRangeFilter),
    )
    list_prefetch_related = ("configuration",)
    saved_filters = ((_("Open events"), "is_open__exact=1"),)
    fieldsets = (
        (None, {"fields": ("title", "full_reason", "what_to_do", ("opened", "resolved"))}),
        (_("Configuration"), {"fields": ("configuration",)}),
        (_("Deliveries"), {"fields": ("announced_at", "messages")}),
    )

    opened = moment_field("opened_at", _("opened"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-opened_at", "-id")

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        if "configuration" in filters:
            return rows.order_by("-kind", "-is_open", "-id")
        if "is_open" in filters:
            return rows.order_by("-is_open", "-kind", "-opened_at", "-id")
        return rows.order_by("-kind", "-opened_at", "-id") if "kind" in filters else rows

    @admin.display(description=_("event"))
    def what(self, event: Notification) -> str:
        return badge(event.get_kind_display(), "danger" if event.is_open else "")

    @admin.display(description=_("configuration"))
    def where(self, event: Notification) -> str:
        return stacked(event.configuration, event.configuration.get_channel_code_display())

    @admin.display(description=_("resolved"))
    def resolved(self, event: Notification) -> str:
        if event.resolved_at is None:
            return badge(gettext("open"), "danger")
        return stacked(moment(event.resolved_at), event.get_resolution_display())

    @admin.display(description=_("event"))
    def title(self, event: Notification) -> str:
        return text_of_event(event, now=timezone.now()).title

    @admin.display(description=_("reason"))
    def full_reason(self, event: Notification) -> str:
        return event.reason or EMPTY

    @admin.display(description=_("next step"))
    def what_to_do(self, event: Notification) -> str:
        return text_of_event(event, now=timezone.now()).what_to_do or EMPTY

    @admin.display(description=_("deliveries"))
    def messages(self, event: Notification) -> str:
        rows = Delivery.objects.filter(events__notification=event).distinct().order_by("pk")
        return lines(_delivery_lines(rows[:FIRST_MESSAGES]))


@admin.register(Delivery)
class DeliveryPage(ReadOnlyPage):
    list_display = ("created", "recipient", "state_badge", "attempts", "result")
    list_filter = (("state", ChoicesCheckboxFilter), ("created_at", DayRangeFilter))
    saved_filters = ((_("Failed"), "state__exact=failed"),)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("recipient", "subscription"),
                    ("state_badge", "is_test"),
                    ("created", "finished_at"),
                    ("attempts", "next_attempt_at"),
                    ("status_code", "full_response"),
                    "message_id",
                )
            },
        ),
        (_("Message"), {"fields": ("subject", "text", "notifications")}),
    )

    created = moment_field("created_at", _("created"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-created_at", "-id")

    def in_index_order(self, rows: QuerySet[Model], filters: frozenset[str]) -> QuerySet[Model]:
        """Return the rows in the order of the index that serves the filters."""
        return rows.order_by("-state", "-next_attempt_at", "-id") if "state" in filters else rows

    @admin.display(description=_("state"))
    def state_badge(self, delivery: Delivery) -> str:
        return badge(delivery.get_state_display(), STATE_TONES[DeliveryState(delivery.state)])

    @admin.display(description=_("response"))
    def result(self, delivery: Delivery) -> str:
        return shortened(delivery.response)

    @admin.display(description=_("response"))
    def full_response(self, delivery: Delivery) -> str:
        return delivery.response or EMPTY

    @admin.display(description=_("subject"))
    def subject(self, delivery: Delivery) -> str:
        return str(delivery.message["subject"]) if delivery.message else gettext("Written at the first attempt.")

    @admin.display(description=_("text"))
    def text(self, delivery: Delivery) -> str:
        return code_block(text_of(cast("Message", delivery.message))) if delivery.message else EMPTY

    @admin.display(description=_("events"))
    def notifications(self, delivery: Delivery) -> str:
        items = delivery.events.select_related("notification").order_by("pk")
        parts = [link_to(item.notification) for item in items[:FIRST_MESSAGES]]
        if (others := items.count() - len(parts) if len(parts) == FIRST_MESSAGES else 0) > 0:
            text = ngettext("and %(number)s more event", "and %(number)s more events", others)
            parts.append(text % {"number": f"{others:,}"})
        return lines(parts)


def _delivery_lines(rows: QuerySet[Delivery]) -> Iterator[str]:
    """Yield a line for each message: its state, with a link to it."""
    for delivery in rows:
        state = badge(delivery.get_state_display(), STATE_TONES[DeliveryState(delivery.state)])
        yield stacked(link_to(delivery), state)
