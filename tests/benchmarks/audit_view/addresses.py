"""The pages that the benchmark opens: each list of the admin with each choice of each filter and each search.

Lists and filters are discovered from the admin's registry, so a new list or filter is measured without a change here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.utils import timezone

from enterprise_catalog.admin_pages.lists.filters import DayRangeFilter, TextFilter
from tests.admin_pages.crawler import all_models, base_of
from tests.benchmarks.audit_view.api_addresses import api_addresses
from tests.benchmarks.audit_view.details import details
from tests.benchmarks.audit_view.mixture import SUBJECTS, customer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.test import Client

#: Search terms of every list; not all of them find something in all of them.
_TERMS: Final = (
    *("Org7X", "Org7X+COURSE000007", SUBJECTS[0].lower(), "the title is", "http 503", "5000048", "nothing"),
    *("title: data", "reason: invalid", "remote: 1", "key: Org1"),
)
#: Columns of text filters -> values.
_TEXTS: Final = {"problem": ("the title", "nothing")}


def addresses(client: Client) -> Iterator[str]:
    """Yield the URL of each page; the client is logged in as a superuser, and has a role for all customers."""
    yield "/admin/"
    for model in all_models():
        yield from _lists(client, model)
    yield from details()
    yield from api_addresses(client)


def _lists(client: Client, model: type[Any]) -> Iterator[str]:
    base, page = base_of(model), admin.site.get_model_admin(model)
    yield base
    yield f"{base}?p=40"  # A table with fewer rows redirects to its list.
    if page.search_fields:
        yield from (f"{base}?{urlencode({'q': term})}" for term in (*_TERMS, customer_of(1)))
    yield from (f"{base}?{query}" for _, query in getattr(page, "saved_filters", ()))
    changelist = client.get(base).context["cl"]
    for spec in changelist.filter_specs:
        # Django's own filters have links; unfold's have forms.
        yield from (f"{base}{choice['query_string']}" for choice in spec.choices(changelist) if "form" not in choice)
        if hasattr(spec, "form_class") or isinstance(spec, DayRangeFilter):
            yield from (f"{base}?{urlencode(values, doseq=True)}" for values in _values(spec))
    for column in getattr(page, "linked_by", ()):
        related = model._meta.get_field(column).related_model
        if owner := related._default_manager.order_by("-pk").first():
            yield f"{base}?{column}__id__exact={owner.pk}"
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        yield f"{base}{row.pk}/change/"


def _values(spec: Any) -> Iterator[Mapping[str, object]]:
    """Yield parameters for a filter: each of its choices, and two of them together."""
    path = spec.field_path
    if isinstance(spec, DayRangeFilter):
        yield from _days(path)
    elif isinstance(spec, TextFilter):
        yield from ({path: text} for text in _TEXTS.get(path, (customer_of(1),)))
    elif related := getattr(spec.field, "related_model", None):
        rows = related._default_manager.order_by("pk").values_list("pk", flat=True)
        yield from ({spec.lookup_kwarg: pk} for pk in rows[8:10])
    else:
        choices = [value for value, _ in spec.field.flatchoices]
        yield from ({spec.lookup_kwarg: value} for value in choices or [0, 1])
        if choices:  # A yes or no has one value.
            yield {spec.lookup_kwarg: choices[:2]}


def _days(path: str) -> Iterator[Mapping[str, object]]:
    now = timezone.now()
    yesterday, week_ago = (f"{now - timedelta(days=days):%Y-%m-%d}" for days in (1, 7))
    yield {f"{path}_from": yesterday, f"{path}_to": yesterday}
    yield {f"{path}_from": week_ago}
    yield {f"{path}_to": week_ago}
