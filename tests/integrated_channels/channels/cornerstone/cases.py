"""Edge-case content items by name. ``golden/`` holds the Cornerstone feed entry of each item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import CourseRun
from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

_PARAGRAPH: Final = "<p>What data are, where they come from, and why they never quite fit. </p>\n"
_RUN: Final = CourseRun(start=datetime(2026, 1, 5, tzinfo=UTC), min_effort_hours=2, max_effort_hours=4, weeks=6)

CASES: Final[Mapping[str, ContentItem]] = {
    "course": an_item(run=_RUN, languages=("English",), subjects=("Computer Science", "Music")),
    "all_texts_empty_but_the_title": a_bare_item(title="Data for All", enrollment_url="https://learn.example.org/x"),
    "description_of_8_kb": an_item(full_description=_PARAGRAPH * 112),
    "description_that_does_not_fit": an_item(full_description=_PARAGRAPH * 200),
    "description_that_does_not_fit_alone": an_item(full_description=_PARAGRAPH * 200, short_description=""),
    "title_of_600_characters": an_item(title="Long title " * 54 + "at its end"),
    "title_in_many_scripts": an_item(title="Économie für Anfänger: 数据科学 для всех 🎓👩🏽‍🔬"),
    "title_with_tags": an_item(title="<b>Data</b> <i class='x'>for</i> <b>All</b>!"),
    "no_title": an_item(title=""),
    "no_address": an_item(enrollment_url="", marketing_url=""),
    "no_title_and_no_address": an_item(title=" ", enrollment_url="", marketing_url=""),
    "no_image": an_item(image_url=""),
    "no_organization": an_item(organizations=()),
    "several_organizations": an_item(organizations=("Northwind Institute", "", "<b>A&amp;B</b> College")),
    "languages_known_and_unknown": an_item(languages=("Spanish (Mexico)", "Klingon", "Spanish", "French")),
    "no_runs": an_item(run=None),
    "hours_in_the_description": an_item(run=CourseRun(estimated_hours=1.51)),
    "effort_that_is_none": an_item(run=CourseRun(weeks=0, max_effort_hours=4)),
    "archived": an_item(is_available=False),
    "executive_education": an_item(course_type="executive-education-2u"),
    "run": an_item("course-v1:Northwind+DATA101+1T2026", content_type="courserun", run=_RUN),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway"),
}
