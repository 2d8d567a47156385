"""Edge-case content items by name. ``golden/`` holds the requests that Degreed gets for each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import CourseRun
from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

_PARAGRAPH: Final = "<p>What data are, where they come from, and why they never quite fit. </p>\n"
_LINK: Final = '<a href="https://www.example.org/syllabus?week=1&amp;part=2" title="The syllabus">Read on</a>'
_RUN: Final = CourseRun(language="en-us", min_effort_hours=2, max_effort_hours=3, weeks=6)
_RUN_KEY: Final = "course-v1:Northwind+DATA101+1T2026"

CASES: Final[Mapping[str, ContentItem]] = {
    "course": an_item(
        run=_RUN,
        skills=("Python (Programming Language)", "Data Analysis", "Python (Programming Language)", "R&amp;D"),
        level="Introductory",
        video_url="https://video.example.org/data.mp4",
        languages=("English",),
        price_usd=149.0,
    ),
    # Texts.
    "all_texts_empty_but_the_title": a_bare_item(title="Data for All", enrollment_url="https://learn.example.org/d"),
    "only_a_short_description": an_item(full_description="<p>&nbsp;</p>"),
    "description_of_8_kb": an_item(full_description=_PARAGRAPH * 112),
    "link_across_2000_characters_of_html": an_item(full_description=_PARAGRAPH * 26 + _LINK + _PARAGRAPH),
    "description_with_script_and_null": an_item(full_description="<script>alert('x')</script>\0<p>Safe?</p>"),
    "enrollment_url_with_ampersand_and_quote": an_item(enrollment_url='https://learn.example.org/?a=1&b="2"'),
    # Titles.
    "title_of_300_characters": an_item(title="Long title " * 27 + "end"),
    "title_in_many_scripts": an_item(
        title="Économie für Anfänger: 数据科学 для всех 🎓👩🏽‍🔬", organizations=("Università",)
    ),
    "title_with_tags": an_item(title="<b>Data</b> <i class='x'>for</i> <b>All</b>!<br>Really, 1 < 2 &amp; I <3 it"),
    "two_courses_with_one_title_a": an_item("Northwind+DATA101", enrollment_url="https://learn.example.org/a"),
    "two_courses_with_one_title_b": an_item("Northwind+DATA102", enrollment_url="https://learn.example.org/b"),
    "no_title": an_item(title=""),
    # Organizations.
    "several_organizations": an_item(organizations=("Northwind Institute", "", "<b>A&amp;B</b> College")),
    # Keys.
    "key_with_slash_colon_ampersand_plus": an_item("North/wind:DATA&101+a b"),
    "key_ending_in_a_space": an_item("Northwind+DATA101 "),
    "key_of_255_characters": an_item("Northwind+" + "K" * 245),
    "key_of_256_characters": an_item("Northwind+" + "K" * 246),
    # Links.
    "no_link": an_item(enrollment_url="", marketing_url=""),
    "link_that_is_none": an_item(enrollment_url="ftp://learn.example.org/course"),
    "everything_in_the_way": an_item(
        "K" * 256, content_type="learnerpathway", title=" ", enrollment_url="", marketing_url=""
    ),
    # Effort, language and price.
    "run_of_one_hour_a_week_for_one_week": an_item(
        run=CourseRun(language="es-419", min_effort_hours=1, max_effort_hours=1, weeks=1)
    ),
    "run_with_the_least_effort_only": an_item(run=CourseRun(language="zh-Hans", min_effort_hours=2.5, weeks=3)),
    "run_without_weeks": an_item(run=CourseRun(max_effort_hours=4, estimated_hours=9.5)),
    "run_with_estimated_hours": an_item(run=CourseRun(estimated_hours=7.2)),
    "run_of_no_sense": an_item(
        price_usd=float("nan"),
        run=CourseRun(language="English", min_effort_hours=-2, max_effort_hours=float("inf"), weeks=0),
    ),
    "no_run": an_item(run=None),
    "no_image": an_item(image_url=""),
    "archived": an_item(is_available=False, run=_RUN),
    # Kinds of content.
    "executive_education": an_item(course_type="executive-education-2u", price_usd=2900.0),
    "run": an_item(_RUN_KEY, content_type="courserun", run=_RUN),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway", enrollment_url=""),
}
