"""Renders values as the HTML of a list's cell or a form's field. All values are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.template.defaultfilters import truncatechars
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from enterprise_catalog.admin_pages.viewer import may_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from django.db.models import Model
    from django_stubs_ext import StrOrPromise

#: Shown when there is no value.
EMPTY: Final = "–"  # noqa: RUF001  (a dash)


def badge(text: str, tone: str) -> str:
    """Return ``text`` as a label in ``success``, ``warning``, ``danger`` or ``info`` color; gray for any other tone."""
    return format_html('<span class="ec-badge ec-tone-{}">{}</span>', tone or "default", text)


def stacked(first: object, second: object) -> str:
    """Return two lines, the second one in a paler color."""
    return format_html(
        '<span class="ec-stacked"><span>{}</span><span class="text-subtle">{}</span></span>', first, second
    )


def shortened(text: str, length: int = 120) -> str:
    """Return the beginning of ``text``; if it is longer, with the whole text in a tooltip."""
    if not text:
        return EMPTY
    if len(text) <= length:
        return format_html('<span class="ec-prose">{}</span>', text)
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
