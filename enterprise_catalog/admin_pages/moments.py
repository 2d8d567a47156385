"""Renders times and durations. A time has the exact time in a tooltip, in the browser's time zone (``moments.js``)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from django import template
from django.contrib import admin
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext_lazy

from enterprise_catalog.admin_pages.rendering import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.utils.functional import _StrPromise
    from django_stubs_ext import StrOrPromise

register = template.Library()


class _Unit(NamedTuple):
    """A unit of relative times."""

    seconds: int
    ago: _StrPromise
    ahead: _StrPromise


#: The largest first. A month has 30 days.
_UNITS: Final = (
    _Unit(
        31_536_000,
        ngettext_lazy("%(n)d year ago", "%(n)d years ago", "n"),
        ngettext_lazy("in %(n)d year", "in %(n)d years", "n"),
    ),
    _Unit(
        2_592_000,
        ngettext_lazy("%(n)d month ago", "%(n)d months ago", "n"),
        ngettext_lazy("in %(n)d month", "in %(n)d months", "n"),
    ),
    _Unit(
        86_400,
        ngettext_lazy("%(n)d day ago", "%(n)d days ago", "n"),
        ngettext_lazy("in %(n)d day", "in %(n)d days", "n"),
    ),
    _Unit(
        3_600,
        ngettext_lazy("%(n)d hour ago", "%(n)d hours ago", "n"),
        ngettext_lazy("in %(n)d hour", "in %(n)d hours", "n"),
    ),
    _Unit(
        60,
        ngettext_lazy("%(n)d minute ago", "%(n)d minutes ago", "n"),
        ngettext_lazy("in %(n)d minute", "in %(n)d minutes", "n"),
    ),
    _Unit(
        1,
        ngettext_lazy("%(n)d second ago", "%(n)d seconds ago", "n"),
        ngettext_lazy("in %(n)d second", "in %(n)d seconds", "n"),
    ),
)
#: A time as :func:`moment_text` returns it.
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")


def moment_text(value: datetime | None) -> str:
    """Return a time as ``2026-11-23 20:44 UTC``, or a dash for ``None``."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M %Z}" if value else EMPTY


@register.filter
def moment(value: datetime | None) -> SafeString:
    """Return a time like :func:`relative_text`, or a dash for ``None``.

    The tooltip has the exact time. ``moments.js`` adds the time in the browser's time zone to it.
    """
    if value is None:
        return SafeString(EMPTY)
    return format_html('<time class="ec-moment" {}>{}</time>', _exact(value), relative_text(value, timezone.now()))


def relative_text(value: datetime, now: datetime) -> str:
    """Return ``3 hours ago`` or ``in 3 hours``: the largest unit that fits, rounded down, as ``moments.js`` does."""
    seconds = int((now - value).total_seconds())
    unit = next((unit for unit in _UNITS if abs(seconds) >= unit.seconds), _UNITS[-1])
    return str((unit.ago if seconds >= 0 else unit.ahead) % {"n": abs(seconds) // unit.seconds})


@register.filter
def with_moments(text: str) -> SafeString:
    """Return ``text`` as HTML, where each time that :func:`moment_text` wrote has a tooltip like :func:`moment`'s."""
    return mark_safe(_MOMENT.sub(_marked, conditional_escape(text)))  # noqa: S308  (escaped)


def _marked(found: re.Match[str]) -> str:
    try:
        value = datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:  # Part of a vendor's message.
        return found[0]
    return format_html("<time {}>{}</time>", _exact(value), found[0])


def _exact(value: datetime) -> SafeString:
    """Return the attributes of a ``time`` element."""
    utc = value.astimezone(UTC)
    return format_html('datetime="{}" title="{}"', f"{utc:%Y-%m-%dT%H:%M:%S.%fZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def moment_field(name: str, label: StrOrPromise) -> Callable[[object, object], str]:
    """Return the method of a page that shows the time ``name``.

    Args:
        label: heading of the column, or name of the field.
    """

    @admin.display(description=label)
    def show(_: object, obj: object) -> str:
        return moment(getattr(obj, name))

    return show


def duration_text(start: datetime, end: datetime | None) -> str:
    """Return a duration as ``850 ms``, ``12 s``, ``4 min 10 s`` or ``2 h 5 min``; a dash if there is no end."""
    if end is None:
        return EMPTY
    seconds = (end - start).total_seconds()
    if seconds < 1:
        return gettext("%(milliseconds)d ms") % {"milliseconds": round(seconds * 1_000)}
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return gettext("%(seconds)d s") % {"seconds": rest}
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return gettext("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
