"""The feed of each pull channel, and the endpoint that issues tokens for it.

A request names a customer. It authenticates with a user name and password (HTTP Basic), or with a token that was issued
for them (``logins.py``). Responses to unauthenticated requests do not reveal which customers or configurations
exist.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
import structlog
from django.core import signing
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from rest_framework.exceptions import Throttled
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.channels.base import PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.feed import entries as feed_entries
from enterprise_catalog.integrated_channels.feed.logins import FeedThrottle, log_in
from enterprise_catalog.integrated_channels.feed.parsers import TokenFormParser, TokenJSONParser
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, FeedItem
from enterprise_catalog.web.login_limits import TooManyFailuresError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

log = structlog.get_logger(__name__)

TOKEN_SECONDS: Final = 3600
MAX_PAGE_SIZE: Final = 1_000
_ENTRIES_AT_ONCE: Final = 100
_SALT: Final = "integrated_channels.feeds"
#: An ``If-Modified-Since`` further in the future counts as missing.
_MOST_AHEAD: Final = timedelta(days=1)


class _FeedAPI(APIView):
    """Base of both views: throttling, parsers, and the channel's active configurations."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (FeedThrottle,)
    parser_classes = (TokenFormParser, TokenJSONParser)
    renderer_classes = (JSONRenderer,)
    schema = None
    channel_class = PullChannel  #: A subclass of ``PullChannel``; set by the URL.

    def handle_exception(self, exc: Exception) -> Response:
        """Return 429 if the login was not tried because of earlier failures."""
        return super().handle_exception(Throttled(exc.retry_after) if isinstance(exc, TooManyFailuresError) else exc)

    def _configurations(self, **columns: object) -> list[ChannelConfiguration]:
        return list(ChannelConfiguration.objects.filter(channel_code=self.channel_class.code, active=True, **columns))


class FeedView(_FeedAPI):
    """One customer's feed: a bare JSON list of the entries that are not acknowledged yet, oldest change first."""

    def get(self, request: Request) -> HttpResponseBase:
        """Return 200 with at most ``count`` entries; 400 without a customer, 401 or 403 without access.

        Only a poll acknowledges the entries of an earlier poll, and is itself recorded. A poll is a request with a
        valid ``If-Modified-Since``, or any GET if the channel's settings say so. All other requests only read.

        Returns 404 if the token's configuration is no longer active, and 503 if the configuration is invalid.
        """
        configuration = self._authenticate(request)
        if isinstance(configuration, HttpResponse):
            return configuration
        now = timezone.now()
        since = _since(request, configuration, now)
        try:
            with open_channel(configuration) as channel:
                assert isinstance(channel, PullChannel)
                by_any_poll = channel.is_acknowledged_by_any_poll
                is_poll = by_any_poll or since is not None
                if is_poll:
                    feed_entries.confirm(configuration, since=since, by_any_poll=by_any_poll, now=now)
                page = list(FeedItem.objects.to_serve(configuration)[: _count(request)])
                body = _render_entries(page, channel)
                body = _note_when_served(body, configuration, page, since) if is_poll else body
                return StreamingHttpResponse(body, content_type="application/json")
        except ConfigurationError as error:
            log.warning("feed_not_served", configuration_id=configuration.pk, reason=error.message)
            return _message(503, "The feed is currently unavailable.")

    def head(self, request: Request) -> HttpResponseBase:
        """Return the response of :meth:`get` without a body. Changes nothing."""
        configuration = self._authenticate(request)
        if isinstance(configuration, HttpResponse):
            return configuration
        return HttpResponse(content_type="application/json")

    def _authenticate(self, request: Request) -> ChannelConfiguration | HttpResponse:
        """Return the configuration that the request names and may read, or an error response."""
        parameter = self.channel_class.customer_parameter
        named = request.query_params.get(parameter, "")
        if not named:
            return _message(400, f"The parameter {parameter} is required.")
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._of_token(shown.strip(), named)
        name, password = _basic(scheme, shown)
        configurations = self._configurations(enterprise_customer_uuid=_uuid_of(named))
        return log_in(request, configurations, name=name, password=password) or _unauthorized()

    def _of_token(self, token: str, named: str) -> ChannelConfiguration | HttpResponse:
        try:
            configuration_id = signing.loads(token, salt=_SALT, max_age=TOKEN_SECONDS)
        except signing.BadSignature:
            return _unauthorized()
        found = self._configurations(pk=configuration_id)
        if not found:
            return _message(404, "The token's configuration is inactive or was deleted.")
        if str(found[0].enterprise_customer_uuid) != named.lower():
            return _message(403, "The token belongs to another customer.")
        return found[0]


class FeedTokenView(_FeedAPI):
    """OAuth 2 client credentials: exchanges a user name and password for a token that is valid for 1 hour.

    Accepts the user name and password as HTTP Basic or in the form.
    """

    def post(self, request: Request) -> HttpResponseBase:
        """Return 200 with the token, or 400 or 401 with an OAuth 2 error."""
        form = request.data if isinstance(request.data, dict) else {}
        if form.get("grant_type") != "client_credentials":
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        user, password = _basic(scheme, shown)
        user, password = user or form.get("client_id", ""), password or form.get("client_secret", "")
        configuration = log_in(request, self._configurations(), name=str(user), password=str(password))
        if configuration is None:
            return JsonResponse({"error": "invalid_client"}, status=401)
        token = signing.dumps(configuration.pk, salt=_SALT)
        return JsonResponse({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})


def _basic(scheme: str, shown: str) -> tuple[str, str]:
    """Return user name and password of a Basic header; two empty strings for any other header."""
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(shown.strip(), validate=True).decode().partition(":")
    except ValueError:  # Not Base64, or not UTF-8.
        return "", ""
    return user, password


def _render_entries(page: list[FeedItem], channel: PullChannel) -> Iterator[bytes]:
    """Yield ``page`` as a JSON list, in parts of at most 100 entries."""
    yield b"["
    for start in range(0, len(page), _ENTRIES_AT_ONCE):
        part = page[start : start + _ENTRIES_AT_ONCE]
        entries = [channel.entry(entry.feed_key, entry.payload, entry.modified_at) for entry in part]
        separator = b"," if start else b""
        yield separator + orjson.dumps(entries)[1:-1]
    yield b"]"


def _note_when_served(
    body: Iterator[bytes], configuration: ChannelConfiguration, page: list[FeedItem], since: datetime | None
) -> Iterator[bytes]:
    """Yield ``body``, then record that ``page`` was served."""
    yield from body
    # The server requests the next part only after it has written the current one, and never after a broken connection.
    feed_entries.note_served(configuration, page, since=since, now=timezone.now())


def _since(request: Request, configuration: ChannelConfiguration, now: datetime) -> datetime | None:
    """Return the poller's ``If-Modified-Since``; ``None`` if it is missing, invalid or too far in the future."""
    header = request.headers.get("If-Modified-Since", "")
    seconds = parse_http_date_safe(header)
    since = None if seconds is None else datetime.fromtimestamp(max(seconds, 0), tz=UTC)
    if since is not None and since > now + _MOST_AHEAD:
        log.warning("feed_poll_from_the_future", configuration_id=configuration.pk, since=since.isoformat())
        return None
    log.info("feed_polled", configuration_id=configuration.pk, since=since.isoformat() if since else None)
    return since


def _count(request: Request) -> int:
    """Return the number of entries that the poller requests; ``MAX_PAGE_SIZE`` if it is missing, invalid or larger."""
    asked = request.query_params.get("count", "")
    if not asked.isdecimal() or len(asked) > len(str(MAX_PAGE_SIZE)):
        return MAX_PAGE_SIZE
    return min(int(asked) or MAX_PAGE_SIZE, MAX_PAGE_SIZE)


def _uuid_of(text: str) -> UUID:
    """Return the UUID in ``text``, or a UUID that no customer has. Both cases run the same query."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _message(status: int, message: str) -> HttpResponse:
    return JsonResponse({"message": message}, status=status)


def _unauthorized() -> HttpResponse:
    response = _message(401, "Authentication is required: send the configuration's user name and password, or a token.")
    response["WWW-Authenticate"] = 'Basic realm="feed", Bearer'
    return response


#: Path below ``integrated-channels/`` -> view, for each pull channel.
VIEWS: Final = {
    path: view
    for channel_class in CHANNELS.values()
    if issubclass(channel_class, PullChannel)
    for path, view in (
        (channel_class.feed_path, FeedView.as_view(channel_class=channel_class)),
        (f"{channel_class.feed_path.partition('/')[0]}/token", FeedTokenView.as_view(channel_class=channel_class)),
    )
}
