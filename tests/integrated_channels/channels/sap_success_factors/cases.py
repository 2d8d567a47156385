"""Edge-case content items by name. ``golden/`` holds the course that SAP gets for each item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import CourseRun
from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

_START: Final = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_END: Final = datetime(2026, 3, 30, 23, 59, 59, 999_999, tzinfo=UTC)
_RUN: Final = "course-v1:Northwind+DATA101+1T2026"
_OPEN: Final = CourseRun(start=_START, end=_END, is_enrollable=True, pacing="self_paced", language="en-us")
_CLOSED: Final = CourseRun(start=_START, end=_END, is_enrollable=False, pacing="instructor_paced", language="es-419")
_PARAGRAPH: Final = "<p>What data are, where they come from, and why they never quite fit. </p>\n"

CASES: Final[Mapping[str, ContentItem]] = {
    "course": an_item(run=_OPEN, price_usd=149.0),
    "course_without_runs": an_item(),
    # Texts.
    "all_empty_but_title_and_address": a_bare_item(title="Data for All", marketing_url="https://www.example.org/d"),
    "only_a_short_description": an_item(full_description=""),
    "description_of_8_kb": an_item(full_description=_PARAGRAPH * 112),
    "description_with_script_and_null": an_item(full_description="<script>alert('x')</script>\0<p>Safe?</p>"),
    "description_of_nothing_but_tags": an_item(full_description="<p>&nbsp;</p>", short_description="<br>"),
    "title_of_300_characters": an_item(title="Long title " * 27 + "end"),
    "title_in_many_scripts": an_item(title="Économie für Anfänger: 数据科学 для всех 🎓👩🏽‍🔬"),
    "title_with_tags_and_entities": an_item(title="<b>Q&amp;A</b> &lt;live&gt; I <3 data"),
    "no_title": an_item(title=""),
    "nothing_that_is_needed": an_item("K" * 256, title=" ", enrollment_url="", marketing_url=""),
    # Keys.
    "key_with_slash_colon_ampersand_plus": an_item("North/wind:DATA&101+a b"),
    "key_ending_in_a_space": an_item("Northwind+DATA101 "),
    "key_of_255_characters": an_item("Northwind+" + "K" * 245),
    "key_of_256_characters": an_item("Northwind+" + "K" * 246),
    # Dates and prices.
    "closed_run": an_item(run=_CLOSED),
    "run_that_says_nothing_of_enrollment": an_item(run=CourseRun(start=_START, end=_END), is_available=False),
    "run_without_end": an_item(run=CourseRun(start=_START, is_enrollable=True)),
    "run_without_dates": an_item(run=CourseRun(is_enrollable=True)),
    "run_that_ends_before_it_starts": an_item(run=CourseRun(start=_END, end=_START, is_enrollable=True)),
    # Kinds of content.
    "executive_education": an_item(course_type="executive-education-2u"),
    "course_run": an_item(_RUN, content_type="courserun", run=_OPEN),
    "course_run_that_is_closed": an_item(_RUN, content_type="courserun", run=_CLOSED),
    "course_run_without_dates": an_item(_RUN, content_type="courserun", run=CourseRun()),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "program_without_any_url": an_item(content_type="program", enrollment_url="", marketing_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway", enrollment_url=""),
    "no_image": an_item(image_url=""),
    "image_that_is_no_url": an_item(image_url="/media/data.jpg"),
    "address_that_is_no_url": an_item(enrollment_url="learn.example.org/data"),
}
