"""Signs and sends the body of a webhook.

The signature is an HMAC-SHA256 of the time and the body, in the format of Stripe: ``t=1764417600,v1=5257a869…``. A
receiver that rejects old times cannot be fooled by a recorded request.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import httpx
import orjson
from django.conf import settings
from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, SyncError
from enterprise_catalog.integrated_channels.lms.client import certificates
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock, check_call
from enterprise_catalog.integrated_channels.lms.ssrf import DeadlineTransport, PublicTransport
from enterprise_catalog.integrated_channels.models import Medium
from enterprise_catalog.integrated_channels.reporting.notifications.errors import SendError
from enterprise_catalog.integrated_channels.reporting.notifications.messages import text_of
from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import webhook_of
from enterprise_catalog.observability.redaction import Redaction
from enterprise_catalog.service_client.http_dates import retry_after_seconds

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import Delivery, Subscription
    from enterprise_catalog.integrated_channels.reporting.notifications.messages import Message
    from enterprise_catalog.integrated_channels.reporting.notifications.subscriptions import Webhook

SIGNATURE_HEADER: Final = "Enterprise-Catalog-Signature"
#: The same for each attempt: a receiver that has seen the ID ignores the message.
ID_HEADER: Final = "Enterprise-Catalog-Message-Id"

#: Maximum duration of an attempt, in seconds.
CALL_SECONDS: Final = 20.0
_TIMEOUT: Final = httpx.Timeout(connect=5, read=10, write=10, pool=5)
#: Bytes of the response that are read. Receivers answer with a word, or with an error page.
_MAX_RESPONSE_BYTES: Final = 2_048
_GONE: Final = 410


def send(delivery: Delivery, subscription: Subscription, *, now: datetime) -> tuple[int, str]:
    """Send the message; return the HTTP status and the beginning of the response.

    Raises:
        SendError: the receiver is not reachable, has not accepted the message, or must not be called.
    """
    try:
        webhook = webhook_of(subscription)
    except ConfigurationError:
        text = gettext("The webhook cannot be decrypted with any of CREDENTIALS_ENCRYPTION_KEYS. Enter it again.")
        raise SendError(text, is_permanent=True) from None
    body = body_of(delivery, Medium(subscription.medium))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Enterprise-Catalog",
        "Accept-Encoding": "identity",
        ID_HEADER: str(delivery.message_id),
    }
    if webhook.secret:
        headers[SIGNATURE_HEADER] = signature(webhook.secret, body, at=int(now.timestamp()))
    response, excerpt = _post(webhook, body, headers)
    _check(response, excerpt)
    return response.status_code, excerpt


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return the signature header of a body.

    Args:
        at: when the message is sent, in seconds since 1970. Part of what is signed.
    """
    digest = hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def body_of(delivery: Delivery, medium: Medium) -> bytes:
    """Return the body, as JSON: Slack's ``text``, or the message with its events."""
    message = cast("Message", delivery.message)
    if medium is Medium.SLACK:
        return orjson.dumps({"text": _for_slack(f"*{message['subject']}*\n\n{text_of(message)}")})
    return orjson.dumps({"id": str(delivery.message_id), "is_test": delivery.is_test, **message})


def _for_slack(text: str) -> str:
    """Escape the characters that begin a link or a mention: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(webhook: Webhook, body: bytes, headers: dict[str, str]) -> tuple[httpx.Response, str]:
    """Send the request; return the response, and the beginning of its body without secrets."""
    kind = DeadlineTransport if settings.LMS_PRIVATE_ADDRESSES else PublicTransport
    redaction = Redaction([webhook.url, webhook.secret, urlsplit(webhook.url).path.strip("/")])
    transport = kind(verify=certificates())
    # A proxy from the environment would bypass the check of addresses. A redirect would bypass the check at save.
    client = httpx.Client(transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
    try:
        with (
            client,
            CallClock(seconds=CALL_SECONDS).call(),
            client.stream("POST", webhook.url, content=body, headers=headers) as response,
        ):
            return response, redaction.excerpt(_read(response))
    except ConfigurationError as error:
        text = gettext("The host of the webhook does not have a public address.")
        raise SendError(text, is_permanent=True) from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        reason = redaction.redacted(str(error)) or type(error).__name__
        raise SendError(gettext("The webhook did not respond: %(reason)s") % {"reason": reason}) from error
    except SyncError as error:  # The deadline, or the end of the worker.
        raise SendError(gettext("The webhook did not respond in time.")) from error


def _read(response: httpx.Response) -> bytes:
    """Return the beginning of the body. The rest stays unread, and the connection is closed."""
    content = b""
    for part in response.iter_raw():
        content += part
        check_call()
        if len(content) >= _MAX_RESPONSE_BYTES:
            break
    return content[:_MAX_RESPONSE_BYTES]


def _check(response: httpx.Response, excerpt: str) -> None:
    """Raise an error unless the receiver has accepted the message.

    Raises:
        SendError: the status is not 2xx.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    text = gettext("The webhook returned %(status)d: %(text)s") % {"status": status, "text": excerpt or "–"}  # noqa: RUF001
    if 300 <= status < 400:
        text = gettext("The webhook returned %(status)d. Redirects are not followed; enter the final URL.")
        text %= {"status": status}
    raise SendError(
        text,
        status_code=status,
        is_permanent=status == _GONE,
        retry_after_seconds=retry_after_seconds(response.headers),
    )
