"""Sample content documents with every field that the exporter reads, and an alternative value for each field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = dict[str, Any]

_RUN: Final[Mapping[str, Any]] = {
    "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
    "availability": "Current",
    "is_enrollable": True,
    "pacing_type": "self_paced",
    "content_language": "en-us",
    "start": "2027-01-10T00:00:00Z",
    "end": "2027-03-10T00:00:00Z",
    "min_effort": 2,
    "max_effort": 4,
    "weeks_to_complete": 8,
    "estimated_hours": 30,
    "first_enrollable_paid_seat_price": 149,
    "fixed_price_usd": 199,
}
_EARLIER_RUN: Final = {"uuid": "aaaaaaaa-0000-4000-8000-000000000002", "start": "2026-01-10T00:00:00Z", "max_effort": 9}
_COMMON: Final[Mapping[str, Any]] = {
    "content_key": "Northwind+DATA101",
    "content_last_modified": "2026-03-01T12:00:00Z",
    "title": "Data for All",
    "short_description": "Read data.",
    "full_description": "Read data, and write it.",
    "enrollment_url": "https://learn.example.org/acme/course/Northwind+DATA101",
    "marketing_url": "https://www.example.org/course/data-for-all",
    "image_url": "https://img.example.org/data.jpg",
    "card_image_url": "https://img.example.org/card.jpg",
    "organizations": ["Northwind: Northwind Institute"],
    "course_type": "verified-audit",
    "level_type": "Introductory",
    "languages": ["English"],
    "subjects": ["Computer Science"],
    "skill_names": ["Python"],
    "video": {"src": "https://video.example.org/data.mp4"},
    "entitlements": [{"price": 99}],
}

#: Content type -> a document of that type.
DOCUMENTS: Final[Mapping[str, Document]] = {
    "course": {
        **_COMMON,
        "content_type": "course",
        "advertised_course_run_uuid": _RUN["uuid"],
        "course_runs": [dict(_RUN), dict(_EARLIER_RUN)],
    },
    "courserun": {**_COMMON, **_RUN, "content_type": "courserun"},
}

#: Field -> alternative value. Course runs share some fields with courses.
OTHERS: Final[Mapping[str, Any]] = {
    "content_key": "Northwind+OTHER1",
    "content_last_modified": "2026-04-01T12:00:00Z",
    "title": "Another",
    "short_description": "Other words.",
    "full_description": "Many other words.",
    "enrollment_url": "https://learn.example.org/acme/course/Northwind+OTHER1",
    "marketing_url": "https://www.example.org/course/another",
    "image_url": "https://img.example.org/other.jpg",
    "card_image_url": "https://img.example.org/other-card.jpg",
    "organizations": ["Contoso: Contoso College"],
    "course_type": "executive-education-2u",
    "level_type": "Advanced",
    "languages": ["French"],
    "subjects": ["Physics"],
    "skill_names": ["Rust"],
    "video": {"src": "https://video.example.org/other.mp4"},
    "entitlements": [{"price": 89}],
    "advertised_course_run_uuid": _EARLIER_RUN["uuid"],
    "availability": "Archived",
    "is_enrollable": False,
    "pacing_type": "instructor_paced",
    "content_language": "es-419",
    "start": "2027-02-20T00:00:00Z",
    "end": "2027-06-20T00:00:00Z",
    "min_effort": 3,
    "max_effort": 6,
    "weeks_to_complete": 10,
    "estimated_hours": 50,
    "first_enrollable_paid_seat_price": 139,
    "fixed_price_usd": 189,
}
#: Prefix for fields of a course's runs. It refers to the first run, which is the advertised one.
OF_RUNS: Final = "course_runs."


def fields_of(document: Document) -> dict[str, Any]:
    """Return an alternative value for each field of ``document`` that can be changed, keyed by field."""
    fields = {name: OTHERS[name] for name in document if name in OTHERS}
    runs = document.get("course_runs") or [{}]
    return fields | {OF_RUNS + name: OTHERS[name] for name in runs[0] if name in OTHERS}


def changed(document: Document, name: str, value: Any) -> Document:
    """Return a copy of ``document`` with another value in a field. ``None`` removes the field."""
    if name.startswith(OF_RUNS):
        first, *others = document["course_runs"]
        return {**document, "course_runs": [changed(first, name.removeprefix(OF_RUNS), value), *others]}
    fewer = {field: kept for field, kept in document.items() if field != name}
    return fewer if value is None else {**fewer, name: value}
