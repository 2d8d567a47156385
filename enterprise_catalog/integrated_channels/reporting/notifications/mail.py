"""Sends an e-mail, by Django's mail backend."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.reporting.notifications.errors import SendError
from enterprise_catalog.integrated_channels.reporting.notifications.messages import admin_link, text_of
from enterprise_catalog.observability.redaction import Redaction

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import Delivery
    from enterprise_catalog.integrated_channels.reporting.notifications.messages import Message


def send(delivery: Delivery, address: str) -> str:
    """Send the message; return a note for its row.

    Raises:
        SendError: e-mail is not set up, or the mail server has not accepted the message.
    """
    if not settings.EMAIL_URL:
        raise SendError(gettext("E-mail is not set up: set EMAIL_URL and DEFAULT_FROM_EMAIL."))
    message = cast("Message", delivery.message)
    mail = EmailMessage(
        subject=message["subject"],
        body=text_of(message, footer=_footer(delivery)),
        to=[address],
        headers={
            # The same for each attempt, so that a mail program can show a repeated message once.
            "Message-ID": f"<{delivery.message_id}@{_domain()}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation replies.
        },
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        is_permanent = all(500 <= code < 600 for code in codes)
        raise SendError(_reason(error), is_permanent=is_permanent) from error
    except (smtplib.SMTPException, OSError) as error:
        raise SendError(_reason(error)) from error
    return gettext("The mail server accepted the message.")


def _footer(delivery: Delivery) -> str:
    """Return the last lines: a link to the subscription, unless the subscriber cannot open the admin."""
    if delivery.subscription and delivery.subscription.is_customers:
        return ""
    link = admin_link("admin:integrated_channels_subscription_change", delivery.subscription_id)
    return gettext("Change or mute these messages: %(link)s") % {"link": link} if link else ""


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _reason(error: Exception) -> str:
    redaction = Redaction([settings.EMAIL_HOST_PASSWORD])
    return redaction.redacted(gettext("The mail server has not accepted the message: %(error)s") % {"error": error})
