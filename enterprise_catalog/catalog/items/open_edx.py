"""Documents as existing Open edX callers read them: more members than the native endpoints add to a document.

No database here. The members that stay as they are stored are copied as bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec
from django.conf import settings

from enterprise_catalog.catalog.items.enrollment_urls import EXECUTIVE_EDUCATION, ItemParts
from enterprise_catalog.catalog.items.normalized import SOURCES, add_normalized_metadata

if TYPE_CHECKING:
    from collections.abc import Collection

    from enterprise_catalog.catalog.items.enrollment_urls import EnrollmentURLs

_Members = dict[str, msgspec.Raw]

_members_of: Final = msgspec.json.Decoder(_Members).decode
_runs_of: Final = msgspec.json.Decoder(list[_Members]).decode
_text_of: Final = msgspec.json.Decoder(str).decode


class StoredItem(NamedTuple):
    """An item and its stored document."""

    parts: ItemParts
    updated_at: str  #: As served text.
    is_active: bool
    json: bytes  #: Canonical JSON of an object.


def catalog_document(
    item: StoredItem, urls: EnrollmentURLs, *, runs: Collection[str] = (), with_customer: bool = True
) -> bytes:
    """Return the JSON of a document as a catalog serves it.

    Args:
        runs: the keys of the course's runs that are items of their own. Those in the document get their own
            ``parent_content_key`` and ``enrollment_url``, except in executive education.
        with_customer: False leaves out what depends on the customer: ``enrollment_url`` is null.
    """
    members = _with_common(item)
    kind = item.parts.content_type
    if kind != "learnerpathway":
        members["enrollment_url"] = _raw(urls.url(item.parts) if with_customer else None)
    if kind in {"course", "courserun"}:
        members["xapi_activity_id"] = _raw(_activity(item.parts))
    if "marketing_url" in members:
        members["marketing_url"] = _marketing_url(members["marketing_url"], urls.source)
    if kind == "course" and runs and with_customer and item.parts.course_type != EXECUTIVE_EDUCATION:
        members["course_runs"] = _course_runs(members.get("course_runs", _EMPTY), item.parts.content_key, runs, urls)
    return msgspec.json.encode(members)


def plain_document(item: StoredItem) -> bytes:
    """Return the JSON of a document without a catalog: it has no enrollment URL and no xAPI activity."""
    return msgspec.json.encode(_with_common(item))


_NULL: Final = msgspec.Raw(b"null")
_EMPTY: Final = msgspec.Raw(b"[]")


def _with_common(item: StoredItem) -> _Members:
    """Return the stored members and those that every document gets."""
    parts, members = item.parts, _members_of(item.json)
    members |= {
        "content_key": _raw(parts.content_key),
        "content_type": _raw(parts.content_type),
        "content_last_modified": _raw(item.updated_at),
        "parent_content_key": _raw(parts.parent_content_key or None),
    }
    if "product_source" in members:
        members["product_source"] = _product_source(members["product_source"])
    if parts.content_type == "course":
        members["active"] = _raw(item.is_active)
        _add_normalized(members)
    return members


def _add_normalized(members: _Members) -> None:
    """Add the normalized metadata that refreshes store, and imports do not: it is no change of the content."""
    if "course_runs" in members and "normalized_metadata" not in members:
        sources = {name: msgspec.json.decode(members[name]) for name in SOURCES if name in members}
        added = add_normalized_metadata(sources)
        members |= {name: _raw(added[name]) for name in ("normalized_metadata", "normalized_metadata_by_run")}


def _product_source(stored: msgspec.Raw) -> msgspec.Raw:
    """Return the object for a text, which searches of course-discovery return instead."""
    try:
        name = _text_of(stored)
    except msgspec.ValidationError:
        return stored
    return _raw({"name": name, "slug": None, "description": None})


def _raw(value: object) -> msgspec.Raw:
    return _NULL if value is None else msgspec.Raw(msgspec.json.encode(value))


def _activity(parts: ItemParts) -> str | None:
    if not settings.LMS_BASE_URL:
        return None
    return f"{settings.LMS_BASE_URL}/xapi/activities/{parts.content_type}/{quote(parts.content_key, safe='+:')}"


def _marketing_url(stored: msgspec.Raw, source: str) -> msgspec.Raw:
    """Return the address with the ``utm_…`` parameters; anything but an address is left as it is."""
    try:
        address = urlsplit(_text_of(stored))
    except (msgspec.ValidationError, ValueError):
        return stored
    if not address.netloc:
        return stored
    parameters = dict(parse_qsl(address.query, keep_blank_values=True))
    parameters |= {"utm_medium": "enterprise", "utm_source": source}
    return _raw(urlunsplit(address._replace(query=urlencode(sorted(parameters.items())))))


def _course_runs(stored: msgspec.Raw, course: str, known: Collection[str], urls: EnrollmentURLs) -> msgspec.Raw:
    try:
        runs = _runs_of(stored)
    except msgspec.ValidationError:  # Not a list of objects.
        return stored
    for run in runs:
        key = _key_of(run)
        if key in known:
            run["parent_content_key"] = _raw(course)
            run["enrollment_url"] = _raw(urls.url(ItemParts(key, "courserun", course)))
    return _raw(runs)


def _key_of(run: _Members) -> str:
    try:
        return _text_of(run.get("key", _NULL))
    except msgspec.ValidationError:
        return ""
