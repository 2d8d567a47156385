"""Responses: JSON by orjson; data that is already JSON is sent unchanged. Other formats are 406."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ORJSONRenderer(BaseRenderer):
    """Renders ``application/json`` in UTF-8. A ``bytes`` value must already be JSON and is sent unchanged.

    Times in UTC end with ``Z``.
    """

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, object] | None = None
    ) -> bytes:
        if data is None:
            return b""
        return data if isinstance(data, bytes) else orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class JSONNegotiation(DefaultContentNegotiation):
    """DRF's negotiation; an unknown ``format`` in the URL is not acceptable, like an unknown ``Accept`` header."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:  # noqa: A002  (named by DRF)
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            raise NotAcceptable from None
