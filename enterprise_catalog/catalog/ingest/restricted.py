"""The writer of restricted course runs, and of the documents of their courses.

A restricted run becomes a content item that is a member of no query, so no diff contains it. Version 2 of the API
offers it in the catalogs of the queries that allow it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from enterprise_catalog.catalog.ingest.writer import insert_content, update_content
from enterprise_catalog.catalog.models import ContentMetadata, RestrictedCourse, RestrictedRun
from enterprise_catalog.catalog.versions.versioned import versioned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from enterprise_catalog.catalog.documents import Document
    from enterprise_catalog.catalog.models import CatalogQuery
    from enterprise_catalog.catalog.versions.versioned import Changes


def replace_restricted(
    query: CatalogQuery, *, courses: Sequence[Document], runs: Sequence[Document], now: datetime
) -> bool:
    """Make these the restricted runs that ``query`` allows; returns True if anything changed. Safe to repeat.

    Args:
        courses: the courses of the runs, with their unrestricted runs and the allowed ones; at most 1,000. A course
            that is no content item is left out.
        runs: the allowed runs; at most 1,000.
    """
    with versioned(now) as changes:
        count = len(changes.times)
        _write_runs(runs, changes)
        has_changed = _replace_runs(query, runs) | _replace_courses(query, courses, now=now)
        if has_changed:
            changes.queries.add(query.pk)
        return has_changed or len(changes.times) > count


def _write_runs(runs: Sequence[Document], changes: Changes) -> None:
    rows = ContentMetadata.objects.with_keys([run.content_key for run in runs])
    known = set(rows.values_list("content_key", flat=True))
    insert_content([run for run in runs if run.content_key not in known], changes)
    update_content([run for run in runs if run.content_key in known], changes)
    rows.update(is_restricted=True)


def _replace_runs(query: CatalogQuery, runs: Sequence[Document]) -> bool:
    wanted = set(_ids(runs).values())
    stored = set(query.restricted_runs.values_list("content_id", flat=True))
    query.restricted_runs.filter(content__in=stored - wanted).delete()
    RestrictedRun.objects.bulk_create(
        RestrictedRun(catalog_query=query, content_id=pk) for pk in sorted(wanted - stored)
    )
    return stored != wanted


def _replace_courses(query: CatalogQuery, courses: Sequence[Document], *, now: datetime) -> bool:
    ids = _ids(courses)
    wanted = {ids[course.content_key]: course for course in courses if course.content_key in ids}
    stored = {row.content_id: row for row in query.restricted_courses.defer("json").select_for_update()}
    gone = stored.keys() - wanted.keys()
    changed = [pk for pk in wanted if pk not in stored or stored[pk].content_hash != wanted[pk].content_hash]
    query.restricted_courses.filter(content__in=[*gone, *changed]).delete()
    RestrictedCourse.objects.bulk_create(
        RestrictedCourse(
            catalog_query=query,
            content_id=pk,
            json=wanted[pk].json,
            content_hash=wanted[pk].content_hash,
            is_active=wanted[pk].derived.is_active,
            # Times of change always increase, even if the clock goes back.
            updated_at=max(now, stored[pk].updated_at + timedelta(microseconds=1)) if pk in stored else now,
        )
        for pk in sorted(changed)
    )
    return bool(gone or changed)


def _ids(documents: Sequence[Document]) -> dict[str, int]:
    """Return key -> id of the documents' items."""
    rows = ContentMetadata.objects.with_keys([document.content_key for document in documents])
    return dict(rows.values_list("content_key", "pk"))
