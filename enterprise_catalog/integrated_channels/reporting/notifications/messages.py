"""Events in words: the subject and text of a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypedDict

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.audit.events import freshness_goal
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import EventKind, Resolution
from enterprise_catalog.integrated_channels.reporting.wording import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, Delivery, Notification

#: Events that a message describes. A message about more gives the number of the others.
MAX_EVENTS: Final = 50
_MAX_SUBJECT: Final = 150


class EventRecord(TypedDict):
    """One event in the body of a webhook, as docs/reference/notifications.rst describes it."""

    id: int
    kind: str
    state: str  #: ``opened`` or ``resolved``.
    opened_at: str
    resolved_at: str | None
    configuration_id: int
    configuration: str
    channel_code: str
    enterprise_customer_uuid: str
    title: str
    reason: str
    what_to_do: str
    url: str  #: Of the configuration's page in the admin; empty for subscribers who cannot open it.


class Message(TypedDict):
    """A message, as stored and sent."""

    subject: str
    events: list[EventRecord]
    omitted: int  #: Events that are not described.


@dataclass(frozen=True, slots=True)
class EventText:
    """An event in words."""

    title: str  #: A sentence.
    what_to_do: str  #: Empty if nothing is to be done.


def compose(delivery: Delivery, *, now: datetime) -> Message:
    """Return the message about a delivery's events as they are now; for a test, a message without events.

    Messages to a customer's own subscribers contain no links to the admin, which they cannot open.
    """
    if delivery.is_test:
        return Message(subject=gettext("Test message"), events=[], omitted=0)
    items = delivery.events.select_related("notification__configuration__status").order_by("pk")
    with_links = not (delivery.subscription and delivery.subscription.is_customers)
    events = [_record(item.notification, now, with_links=with_links) for item in items[:MAX_EVENTS]]
    omitted = items.count() - len(events) if len(events) == MAX_EVENTS else 0
    return Message(subject=_subject(events, len(events) + omitted), events=events, omitted=omitted)


def text_of(message: Message, *, footer: str = "") -> str:
    """Return the plain text of a message: each event with its reason, the remedy and a link."""
    if not message["events"]:
        parts = [gettext("This is a test. Messages about integrated channels reach this address.")]
    else:
        parts = [
            "\n".join(filter(None, [event["title"], event["reason"], event["what_to_do"], event["url"]]))
            for event in message["events"]
        ]
    if number := message["omitted"]:
        parts.append(ngettext("And %(n)s more event.", "And %(n)s more events.", number) % {"n": f"{number:,}"})
    return "\n\n".join([*parts, *([footer] if footer else [])])


def text_of_event(event: Notification, *, now: datetime) -> EventText:
    """Return an event in words: its end if it has recovered, otherwise its beginning."""
    write = _ENDS[EventKind(event.kind)] if event.resolution == Resolution.RECOVERED else _BEGINNINGS[event.kind]
    return write(event, now)


def name_of(configuration: ChannelConfiguration) -> str:
    """Return the name of a configuration, its channel and its customer, in one line."""
    code = configuration.channel_code
    channel = CHANNELS[code].label if code in CHANNELS else code
    status = getattr(configuration, "status", None)
    customer = (status.customer_name if status else "") or str(configuration.enterprise_customer_uuid)
    name = gettext("%(channel)s of %(customer)s") % {"channel": channel, "customer": customer}
    if configuration.display_name:
        name = f"{configuration.display_name} ({name})"
    return " ".join(name.split())


def admin_link(name: str, *arguments: object) -> str:
    """Return the absolute URL of an admin page; empty if ``ADMIN_BASE_URL`` is not set."""
    return f"{settings.ADMIN_BASE_URL}{reverse(name, args=arguments)}" if settings.ADMIN_BASE_URL else ""


def _record(event: Notification, now: datetime, *, with_links: bool) -> EventRecord:
    configuration, text = event.configuration, text_of_event(event, now=now)
    has_recovered = event.resolution == Resolution.RECOVERED
    return EventRecord(
        id=event.pk,
        kind=event.kind,
        state="resolved" if event.resolved_at else "opened",
        opened_at=event.opened_at.isoformat(),
        resolved_at=event.resolved_at.isoformat() if event.resolved_at else None,
        configuration_id=configuration.pk,
        configuration=name_of(configuration),
        channel_code=configuration.channel_code,
        enterprise_customer_uuid=str(configuration.enterprise_customer_uuid),
        title=text.title,
        reason="" if has_recovered else plain(event.reason),
        what_to_do=text.what_to_do,
        url=admin_link("admin:integrated_channels_channelconfiguration_change", configuration.pk) if with_links else "",
    )


def _subject(events: list[EventRecord], number: int) -> str:
    """Return the title of a single event; of several events, the number of them and of their configurations."""
    if number == 1:
        return _shortened(events[0]["title"].rstrip("."))
    first = {"n": f"{number:,}", "name": events[0]["configuration"]}
    if len({event["configuration_id"] for event in events}) == 1:
        text = ngettext("%(n)s event of %(name)s", "%(n)s events of %(name)s", number)
        return _shortened(text % first)
    text = ngettext(
        "%(n)s event of integrated channels, first %(name)s",
        "%(n)s events of integrated channels, first %(name)s",
        number,
    )
    return _shortened(text % first)


def _shortened(subject: str) -> str:
    return subject if len(subject) <= _MAX_SUBJECT else f"{subject[:_MAX_SUBJECT].rstrip()}…"


def _stopped(event: Notification, now: datetime) -> EventText:
    del now
    return EventText(
        gettext("%(name)s has stopped: nothing is sent to its LMS.") % _values(event),
        gettext(
            "Correct the credentials or settings of the configuration, and check its connection. The next sync then"
            " continues."
        ),
    )


def _unreachable(event: Notification, now: datetime) -> EventText:
    minutes = int((now - event.opened_at).total_seconds()) // 60
    title = ngettext(
        "All calls of %(name)s have failed for %(n)s minute.",
        "All calls of %(name)s have failed for %(n)s minutes.",
        minutes,
    )
    return EventText(
        title % (_values(event) | {"n": f"{minutes:,}"}),
        gettext("Check that the LMS and the catalog service are reachable. Syncs are retried, and no change is lost."),
    )


def _held(event: Notification, now: datetime) -> EventText:
    del now
    title = ngettext(
        "%(n)s delete of %(name)s waits for approval.", "%(n)s deletes of %(name)s wait for approval.", event.items
    )
    return EventText(
        title % (_values(event) | {"n": f"{event.items:,}"}),
        gettext("Approve the deletes, or keep the items in the LMS. All other changes are sent."),
    )


def _late(event: Notification, now: datetime) -> EventText:
    del now
    minutes = freshness_goal(event.configuration.freshness_goal_minutes) // timedelta(minutes=1)
    title = ngettext(
        "%(name)s is late: a change has not reached the LMS within %(n)s minute.",
        "%(name)s is late: a change has not reached the LMS within %(n)s minutes.",
        minutes,
    )
    return EventText(
        title % (_values(event) | {"n": f"{minutes:,}"}),
        gettext(
            "See the reason on the page of the configuration. If many configurations are late, check that workers and"
            " the scheduler are running."
        ),
    )


def _syncs_again(event: Notification, now: datetime) -> EventText:
    del now
    return EventText(gettext("%(name)s syncs again, after it had stopped on %(time)s.") % _values(event), "")


def _reachable_again(event: Notification, now: datetime) -> EventText:
    del now
    return EventText(gettext("%(name)s syncs again, after all calls had failed since %(time)s.") % _values(event), "")


def _decided(event: Notification, now: datetime) -> EventText:
    del now
    return EventText(gettext("The deletes of %(name)s no longer wait for approval.") % _values(event), "")


def _on_time_again(event: Notification, now: datetime) -> EventText:
    del now
    return EventText(gettext("%(name)s is on time again, after it was late on %(time)s.") % _values(event), "")


def _values(event: Notification) -> dict[str, object]:
    return {"name": name_of(event.configuration), "time": moment_text(event.opened_at)}


_BEGINNINGS: Final[Mapping[str, Callable[[Notification, datetime], EventText]]] = {
    EventKind.STOPPED: _stopped,
    EventKind.UNREACHABLE: _unreachable,
    EventKind.HELD: _held,
    EventKind.LATE: _late,
}
_ENDS: Final[Mapping[str, Callable[[Notification, datetime], EventText]]] = {
    EventKind.STOPPED: _syncs_again,
    EventKind.UNREACHABLE: _reachable_again,
    EventKind.HELD: _decided,
    EventKind.LATE: _on_time_again,
}
