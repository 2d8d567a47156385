"""The members of a filter that exclude an item, compared with what the sandbox of course-discovery finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.items.filter_match import failing_members
from enterprise_catalog.catalog.models import ContentMetadata
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, stored
from tests.open_edx import course, run

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

DEMO: Final = ContentMetadata(content_type="course", content_key="edX+DemoX")
DOCUMENT: Final[dict[str, Any]] = {
    "level_type": "Introductory",
    "course_type": "verified-audit",
    "product_source": {"name": "edX", "slug": "edx"},
    "owners": [{"key": "edX", "uuid": "1"}],
    "languages": ["English", "French"],
    "first_enrollable_paid_seat_price": 50,
    "course_runs": [{"availability": "Current", "status": "published"}, {"availability": "Archived"}],
    "enterprise_subscription_inclusion": False,
}


@pytest.mark.parametrize(
    ("content_filter", "failing"),
    [
        ({}, []),
        ({"content_type": "program"}, ["content_type"]),
        ({"key": ["demox"]}, []),
        ({"key": ["Demo"]}, ["key"]),
        ({"aggregation_key": ["course:edX+DemoX"]}, []),
        ({"aggregation_key__exclude": ["course:edX+DemoX"]}, ["aggregation_key__exclude"]),
        ({"level_type": ["Advanced"], "org": "EDX"}, ["level_type"]),
        ({"org__exclude": ["edx"], "product_source": "2u"}, ["org__exclude", "product_source"]),
        ({"availability": ["Upcoming", "Archived"], "status": "published"}, []),
        ({"availability": "Upcoming"}, ["availability"]),
        ({"first_enrollable_paid_seat_price__lte": "49.5"}, ["first_enrollable_paid_seat_price__lte"]),
        ({"first_enrollable_paid_seat_price__gte": 50}, []),
        ({"languages__in": ["French"]}, []),
        ({"enterprise_subscription_inclusion": True}, ["enterprise_subscription_inclusion"]),
        ({"authoring_organization_uuids": ["2"]}, ["authoring_organization_uuids"]),
    ],
)
def test_each_member_is_compared_with_the_document(content_filter: dict[str, Any], failing: list[str]) -> None:
    assert failing_members(content_filter, DEMO, DOCUMENT) == failing


@pytest.mark.parametrize(
    "content_filter",
    [
        {"skill_names": ["Python"]},  # The document has none.
        {"org__exempt": "edX", "partner": "edx", "restricted_runs_allowed": {}},
        {"level_type": [], "course_type": ""},
        {"first_enrollable_paid_seat_price__lte": "cheap", "level_type__gt": None},
    ],
)
def test_a_member_without_a_counterpart_in_the_document_excludes_nothing(content_filter: dict[str, Any]) -> None:
    assert failing_members(content_filter, DEMO, DOCUMENT) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "content_filter",
    [
        {"level_type": ["Advanced"]},
        {"level_type__in": ["Advanced", "Intermediate"]},
        {"course_type__exclude": ["professional"]},
        {"key": ["C1", "C2"]},
        {"aggregation_key__exclude": ["course:edX+C1"]},
        {"availability": ["Upcoming"]},
        {"content_type": "program"},
        {"availability": ["Current"], "level_type": ["Introductory"]},
    ],
)
def test_it_agrees_with_course_discovery(open_edx: OpenEdxSandbox, content_filter: dict[str, Any]) -> None:
    open_edx.documents.put(
        [
            course("edX+C1", level_type="Advanced"),
            course("edX+C2", run("course-v1:edX+C2+1", availability="Upcoming")),
            course("edX+C3", level_type="Intermediate", course_type="professional"),
        ]
    )
    refreshed(everything := discovery_query())
    wanted = {"content_type": "course"} | content_filter
    refreshed(query := discovery_query(wanted, title="Filtered"))

    accepted = [
        content.content_key
        for content in ContentMetadata.objects.filter(content_type="course").order_by("content_key")
        if not failing_members(wanted, content, stored(content.content_key))
    ]

    assert members(everything) == ["edX+C1", "edX+C2", "edX+C3"]
    assert accepted == members(query)
