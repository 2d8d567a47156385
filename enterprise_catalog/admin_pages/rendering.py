"""Renders values as the HTML of a list's cell or a form's field. All values are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.template.defaultfilters import truncatechars
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext

from enterprise_catalog.admin_pages.viewer import may_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model
    from django_stubs_ext import StrOrPromise

#: Shown when there is no value.
EMPTY: Final = "–"  # noqa: RUF001  (a dash)


def moment_text(value: datetime | None) -> str:
    """Return a time as ``2026-11-23 20:44 UTC``, or a dash for ``None``."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M %Z}" if value else EMPTY


def moment(value: datetime | None) -> str:
    """Return a time like :func:`moment_text`, with its seconds in a tooltip."""
    if value is None:
        return EMPTY
    exact = f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S.%f %Z}"
    return format_html('<time class="ec-moment" title="{}">{}</time>', exact, moment_text(value))


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


def badge(text: str, tone: str) -> str:
    """Return ``text`` as a label in ``success``, ``warning``, ``danger`` or ``info`` color; gray for any other tone."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone})


def stacked(first: object, second: object) -> str:
    """Return two lines, the second one in a paler color."""
    return format_html(
        '<span class="ec-stacked"><span>{}</span><span class="text-subtle">{}</span></span>', first, second
    )


def shortened(text: str, length: int = 120) -> str:
    """Return the beginning of ``text``, with the whole text in a tooltip."""
    if not text:
        return EMPTY
    return format_html('<span class="ec-prose" title="{}">{}</span>', text, truncatechars(text, length))


def exactly(text: str) -> str:
    """Return ``text`` with its spaces preserved, in quotation marks if it has leading or trailing space."""
    html = '<span class="ec-exact">{}</span>' if text == text.strip() else '<span class="ec-exact">“{}”</span>'
    return format_html(html, text) if text else EMPTY


def code_block(text: str) -> str:
    """Return ``text`` with its line breaks, in a monospaced font."""
    return format_html('<pre class="ec-code">{}</pre>', text)


def link_to(obj: Model | None, text: object = None) -> str:
    """Return a link to the object's page; only the text without view permission; a dash for ``None``."""
    if obj is None:
        return EMPTY
    if not may_view(type(obj)):
        return format_html("{}", obj if text is None else text)
    options = obj._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[obj.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, obj if text is None else text)


def link_to_list(model: type[Model], text: str, **conditions: str | int | UUID | list[str]) -> str:
    """Return a link to a table's list, filtered by the conditions; a dash without view permission.

    A list allows each of its values.
    """
    if not may_view(model):
        return EMPTY
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return format_html(
        '<a class="text-link" href="{}?{}">{}</a>',
        url,
        urlencode(
            {name: each if isinstance(each, list) else str(each) for name, each in conditions.items()}, doseq=True
        ),
        text,
    )


def lines(parts: Iterable[object]) -> str:
    """Return the parts as one line each; a dash if there are no parts."""
    html = format_html_join("", '<div class="ec-line">{}</div>', ((part,) for part in parts))
    return format_html('<div class="ec-lines">{}</div>', html) if html else EMPTY


def table(title: str, headers: Sequence[StrOrPromise], rows: Iterable[Sequence[object]]) -> str:
    """Return a small table with a title."""
    context = {"title": title, "table": {"headers": headers, "rows": [list(row) for row in rows]}}
    return render_to_string("unfold/components/table.html", context)
