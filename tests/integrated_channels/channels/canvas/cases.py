"""Edge-case content items by name. ``golden/`` holds the requests that Canvas gets for each item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import CourseRun
from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

_PARAGRAPH: Final = "<p>What data are, where they come from, and why they never quite fit. </p>\n"
_LINK: Final = '<a href="https://www.example.org/syllabus?week=1&amp;part=2" title="The syllabus">Read on</a>'
_START: Final = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_END: Final = datetime(2026, 3, 30, 23, 59, 59, 999_999, tzinfo=UTC)
_RUN: Final = "course-v1:Northwind+DATA101+1T2026"

CASES: Final[Mapping[str, ContentItem]] = {
    "course": an_item(),
    # Texts.
    "all_texts_empty_but_the_title": a_bare_item(title="Data for All"),
    "only_a_short_description": an_item(full_description=""),
    "description_of_8_kb": an_item(full_description=_PARAGRAPH * 112),
    "link_across_2000_characters_of_html": an_item(full_description=_PARAGRAPH * 26 + _LINK + _PARAGRAPH),
    "description_with_script_and_null": an_item(full_description="<script>alert('x')</script>\0<p>Safe?</p>"),
    "enrollment_url_with_ampersand_and_quote": an_item(enrollment_url='https://learn.example.org/?a=1&b="2"'),
    # Titles.
    "title_of_300_characters": an_item(title="Long title " * 27 + "end"),
    "title_in_many_scripts": an_item(title="Économie für Anfänger: 数据科学 для всех 🎓👩🏽‍🔬"),
    "title_with_tags": an_item(title="<b>Data</b> <i class='x'>for</i> <b>All</b>!<br>Really"),
    "title_with_tags_and_no_description": a_bare_item(title="<b>Q&amp;A</b> &lt;live&gt;"),
    "title_with_a_heart_and_quotes": an_item(title="I <3 data: \"R&D\" isn't 'easy'"),
    "two_courses_with_one_title_a": an_item("Northwind+DATA101"),
    "two_courses_with_one_title_b": an_item("Northwind+DATA102"),
    "no_title": an_item(title=""),
    "title_of_nothing_but_tags": an_item(title="<p>&nbsp;</p>"),
    # Images.
    "no_image": an_item(image_url=""),
    "image_with_spaces_and_umlauts": an_item(image_url=" https://img.example.org/Bücher und [Daten].jpg?x=1&y=%20#a "),
    "image_without_a_host": an_item(image_url="/media/data.jpg"),
    "image_that_is_a_script": an_item(image_url="javascript:alert(1)"),
    "image_with_a_broken_host": an_item(image_url="https://[img.example.org/data.jpg"),
    "image_with_a_host_in_another_script": an_item(image_url="https://bücher.example/data.jpg"),
    # Keys.
    "key_with_slash_colon_ampersand_plus": an_item("North/wind:DATA&101+a b"),
    "key_ending_in_a_space": an_item("Northwind+DATA101 "),
    "key_that_differs_by_case": an_item("northwind+data101"),
    "key_with_an_accent": an_item("Northwind+DÁTA101"),
    "key_of_255_characters": an_item("Northwind+" + "K" * 245),
    "key_of_256_characters": an_item("Northwind+" + "K" * 246),
    "key_with_a_null": an_item("Northwind+\0"),
    "everything_is_wrong": an_item(
        "K" * 300, title=" ", image_url="data.jpg", start=_END, end=_START, content_type="learnerpathway"
    ),
    # Kinds of content.
    "executive_education": an_item(course_type="executive-education-2u"),
    "course_whose_run_has_dates": an_item(run=CourseRun(start=_START, end=_END)),
    "run": an_item(_RUN, content_type="courserun", start=_START, end=_END),
    "run_in_another_time_zone": an_item(
        _RUN, content_type="courserun", start=datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=5)))
    ),
    "run_without_end": an_item(_RUN, content_type="courserun", start=_START),
    "run_that_ends_before_it_starts": an_item(_RUN, content_type="courserun", start=_END, end=_START),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "program_without_any_url": an_item(content_type="program", enrollment_url="", marketing_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway", enrollment_url=""),
}
