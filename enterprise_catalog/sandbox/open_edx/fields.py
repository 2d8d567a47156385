"""The values of a document that filters of ``search/all`` compare with.

Field names and their meanings are those of course-discovery's search indexes. A course has the values of all of its
visible runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from enterprise_catalog.sandbox.open_edx.runs import is_expired, moment_of, price_of, visible_runs

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from enterprise_catalog.sandbox.open_edx.documents import Record
    from enterprise_catalog.sandbox.open_edx.runs import Document

#: Field name -> values, as in the document.
Fields: TypeAlias = dict[str, list[object]]

DEFAULT_PARTNER: Final = "edx"
#: Members of a document that are fields with the same name, for all kinds.
_PLAIN: Final = (
    *("level_type", "course_type", "languages", "skill_names", "external_course_marketing_type", "short_description"),
    *("hidden", "active", "enterprise_subscription_inclusion"),
)
#: Members of a run that are fields with the same name, of the run and of its course.
_OF_RUNS: Final = ("availability", "status", "pacing_type", "enrollment_mode", "type", "start", "end")


def fields_of(record: Record, *, included: Collection[str], now: datetime) -> Fields:
    """Return field name -> values. Fields without a value are missing.

    Args:
        included: restriction types of the runs that count.
        now: the current time, aware.
    """
    document = record.document
    is_course = record.kind == "course"
    runs = visible_runs(document, included) if is_course else [document]
    prices = [int(price) for run in runs if (price := price_of(run)) is not None]
    fields: Fields = {
        "content_type": [record.kind],
        "aggregation_key": [record.aggregation_key],
        "partner": [document.get("partner") or DEFAULT_PARTNER],
        **{name: _listed(document.get(name)) for name in _PLAIN},
        **{name: [value for run in runs for value in _listed(run.get(name))] for name in _OF_RUNS},
        "product_source": _listed(slug_of(document.get("product_source"))),
        "skills": _listed(document.get("skill_names")),
        **_organizations(document),
        "subject_uuids": [each["uuid"] for each in _objects(document.get("subjects")) if each.get("uuid")],
        "first_enrollable_paid_seat_price": _listed(prices[0] if prices else None),
        "published": ["published" in {str(run.get("status", "")).lower() for run in runs}],
        "has_enrollable_seats": [any(bool(run.get("is_enrollable")) for run in runs)],
    }
    if record.kind in {"course", "courserun"}:
        fields |= _of_key(record.key)
    if is_course:
        end_date = last_end(document, included)
        fields |= {"end_date": _listed(end_date), "course_ends": [course_ends(end_date, now)]}
    return {name: values for name, values in fields.items() if values}


def _of_key(key: str) -> Fields:
    organization, _, rest = key.rpartition(":")[2].partition("+")
    return {"key": [key], "key.raw": [key], "org": [organization], "number": [rest.partition("+")[0]]}


def _organizations(document: Document) -> Fields:
    authors = _objects(document.get("owners")) or _objects(document.get("authoring_organizations"))
    return {
        "authoring_organizations": [f"{each.get('key')}: {each.get('name')}" for each in authors],
        "authoring_organization_uuids": [each["uuid"] for each in authors if each.get("uuid")],
    }


def last_end(course: Document, included: Collection[str]) -> str | None:
    """Return the end of the visible run that ends last; ``None`` without an end."""
    ends = [run["end"] for run in visible_runs(course, included) if moment_of(run.get("end"))]
    return max(ends, default=None)


def course_ends(end_date: str | None, now: datetime) -> str:
    """Return ``Past`` or ``Future``."""
    return "Past" if is_expired({"end": end_date}, now) else "Future"


def slug_of(product_source: object) -> object:
    """Return the slug of a product source, which may be an object, a text or ``None``."""
    return product_source.get("slug") if isinstance(product_source, dict) else product_source


def _objects(value: object) -> list[Document]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _listed(value: object) -> list[object]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]
