"""Checks of subscriptions, and the encrypted URL and secret of webhooks.

The whole URL is a secret: the URL of a Slack webhook is all that is needed to post. Pages and logs show its host only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt, rotated
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.lms.ssrf import public_address
from enterprise_catalog.integrated_channels.models import EventKind, Medium, Notification, Subscription

if TYPE_CHECKING:
    from uuid import UUID

#: Of a secret and of a URL, in characters.
MIN_SECRET_LENGTH: Final = 16
MAX_SECRET_LENGTH: Final = 1_000
MAX_URL_LENGTH: Final = 2_000
#: Subscriptions that the admins of one customer may create. Each event causes a message to each.
MAX_CUSTOMERS_SUBSCRIPTIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Webhook:
    """The encrypted part of a subscription."""

    url: str
    secret: str  #: Signs each message; may be empty for Slack.

    @property
    def host(self) -> str:
        """The host of the URL, for pages and messages."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of a subscription, as entered. A URL or a secret that is empty keeps the stored one."""

    medium: Medium
    email: str = ""
    url: str = ""
    secret: str = ""


def set_recipient(subscription: Subscription, entered: Recipient) -> dict[str, list[str]]:
    """Set the recipient of a subscription that is not saved yet, unless there are problems.

    Returns:
        ``email``, ``url`` or ``secret`` -> its problems, one sentence each; empty if there are none.
    """
    if entered.medium is Medium.EMAIL:
        if not entered.email:
            return {"email": [gettext("Enter an e-mail address.")]}
        subscription.medium, subscription.email = entered.medium, entered.email
        subscription.webhook = subscription.webhook_host = ""
        return {}
    webhook = _completed(entered, _stored_webhook(subscription))
    found = {"url": url_problems(webhook.url), "secret": secret_problems(webhook.secret, entered.medium)}
    problems = {name: texts for name, texts in found.items() if texts}
    if not problems:
        subscription.medium, subscription.email = entered.medium, ""
        set_webhook(subscription, webhook)
    return problems


def _completed(entered: Recipient, stored: Webhook | None) -> Webhook:
    """Return the webhook as entered, with the stored URL and secret where none is entered."""
    if stored is None:
        return Webhook(entered.url, entered.secret)
    # Another receiver must not get what is signed with the secret of this one.
    is_same_host = not entered.url or _host(entered.url) == stored.host
    return Webhook(entered.url or stored.url, entered.secret or (stored.secret if is_same_host else ""))


def _stored_webhook(subscription: Subscription) -> Webhook | None:
    if not subscription.webhook:
        return None
    try:
        return webhook_of(subscription)
    except ConfigurationError:
        return None


def _host(url: str) -> str:
    try:
        return Webhook(url, "").host
    except ValueError:
        return ""


def customers_subscriptions(customer: UUID | None) -> int:
    """Return the number of subscriptions that a customer's admins have created."""
    of_customer = Q(enterprise_customer_uuid=customer) | Q(configuration__enterprise_customer_uuid=customer)
    return Subscription.objects.filter(of_customer, is_customers=True).count()


def webhook_of(subscription: Subscription) -> Webhook:
    """Return the URL and the secret of a webhook.

    Raises:
        ConfigurationError: no key decrypts them.
    """
    stored = decrypt(subscription.webhook)
    return Webhook(str(stored.get("url", "")), str(stored.get("secret", "")))


def set_webhook(subscription: Subscription, webhook: Webhook) -> None:
    """Set the URL and the secret of a subscription that is not saved yet."""
    subscription.webhook, subscription.webhook_host = encrypt(asdict(webhook)), webhook.host[:255]


def rotate_webhooks() -> tuple[int, list[int]]:
    """Encrypt all webhooks with the newest key. Safe to repeat.

    Returns:
        The number of encrypted webhooks, and the ids of subscriptions whose webhook no key can decrypt.
    """
    done, unreadable = 0, []
    for pk, text in Subscription.objects.exclude(webhook="").order_by("pk").values_list("pk", "webhook").iterator():
        try:
            done += Subscription.objects.filter(pk=pk, webhook=text).update(webhook=rotated(text))
        except ConfigurationError:
            unreadable.append(pk)
    return done, unreadable


def url_problems(url: str) -> list[str]:
    """Return the problems of a webhook's URL, one sentence each. Looks up the host; each connection does so again."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return [gettext("The URL is invalid.")]
    if len(url) > MAX_URL_LENGTH or not host or any(character.isspace() for character in url):
        return [gettext("The URL is invalid.")]
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.LMS_PRIVATE_ADDRESSES):
        return [gettext("The URL must begin with https://.")]
    if "@" in parts.netloc:
        return [gettext("The URL must not contain a user name or password.")]
    return [] if settings.LMS_PRIVATE_ADDRESSES else _address_problems(host)


def _address_problems(host: str) -> list[str]:
    try:
        public_address(host)
    except ConfigurationError:
        return [gettext("The host of the URL does not have a public address.")]
    except (httpx.ConnectError, UnicodeError):
        return [gettext("The host name of the URL could not be resolved.")]
    return []


def secret_problems(secret: str, medium: str) -> list[str]:
    """Return the problems of the secret that signs the messages of a webhook. Slack checks no signatures."""
    if not secret and medium == Medium.SLACK:
        return []
    if len(secret) < MIN_SECRET_LENGTH:
        text = gettext("Enter a secret of at least %(number)d characters. The receiver checks signatures with it.")
        return [text % {"number": MIN_SECRET_LENGTH}]
    return []


def wants(subscription: Subscription, event: Notification) -> bool:
    """Return True if the subscription is about the event's configuration and kind."""
    if subscription.kinds and event.kind not in subscription.kinds:
        return False
    if subscription.configuration_id is not None:
        return subscription.configuration_id == event.configuration_id
    customer = subscription.enterprise_customer_uuid
    return customer is None or customer == event.configuration.enterprise_customer_uuid


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of events with a sentence each, for forms."""
    return [
        (EventKind.STOPPED.value, gettext("Stopped: the LMS rejects the credentials, or the configuration is invalid")),
        (EventKind.UNREACHABLE.value, gettext("Unreachable: syncs have failed for longer than set")),
        (EventKind.HELD.value, gettext("Deletes held: they wait for approval")),
        (EventKind.LATE.value, gettext("Late: a change has not reached the LMS within the freshness goal")),
    ]
