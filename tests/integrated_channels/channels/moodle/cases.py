"""Edge-case content items by name. ``golden/`` holds the form fields that Moodle gets for each item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

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
    "link_across_1700_characters_of_html": an_item(full_description=_PARAGRAPH * 22 + _LINK + _PARAGRAPH),
    "description_with_script_and_null": an_item(full_description="<script>alert('x')</script>\0<p>Safe?</p>"),
    "enrollment_url_with_ampersand_and_quote": an_item(enrollment_url='https://learn.example.org/?a=1&b="2"'),
    # Titles.
    "title_of_300_characters": an_item(title="Long title " * 27 + "end"),
    # Put "<" at the positions where the short name and the full name are cut.
    "title_of_300_characters_cut_at_a_less_than": an_item(title="x" * 232 + " < " + "y" * 16 + " < " + "z" * 46),
    "title_in_many_scripts": an_item(
        title="Économie für Anfänger: 数据科学 для всех 🎓👩🏽‍🔬", organizations=("Università",)
    ),
    "title_with_tags": an_item(title="<b>Data</b> <i class='x'>for</i> <b>All</b>!<br>Really"),
    "title_with_escaped_tags": an_item(title="The &lt;b&gt; tag &amp; its friends"),
    "title_with_tags_and_no_description": a_bare_item(title="<b>Q&amp;A</b> &lt;live&gt;"),
    "title_with_a_heart": an_item(title="I <3 data"),
    "title_ending_in_a_less_than": an_item(title="Less than <"),
    "title_with_ampersand_and_quotes": an_item(title="Q&A: \"R&D\" isn't 'easy'; is a < b?"),
    "title_with_white_space_and_null": an_item(title=" \tData\n for\u00a0All \0 "),
    "two_courses_with_one_title_a": an_item("Northwind+DATA101"),
    "two_courses_with_one_title_b": an_item("Northwind+DATA102"),
    "no_title": an_item(title=""),
    "title_of_nothing_but_tags": an_item(title="<p>&nbsp;</p>"),
    # Organizations.
    "several_organizations": an_item(organizations=("Northwind Institute", "", "<b>A&amp;B</b> College", "Less <")),
    # Keys.
    "key_with_slash_colon_ampersand_plus": an_item("North/wind:DATA&101+a b"),
    "key_ending_in_a_space": an_item("Northwind+DATA101 "),
    "key_with_a_tag": an_item("Northwind+<DATA>101<"),
    "key_with_white_space_that_is_none_to_php": an_item("Northwind+<\u00a0DATA101"),
    "key_of_100_characters": an_item("Northwind+" + "K" * 90, title="T" * 300),
    "key_of_101_characters": an_item("Northwind+" + "K" * 91),
    "key_of_255_characters": an_item("Northwind+" + "K" * 245),
    # Kinds of content.
    "executive_education": an_item(course_type="executive-education-2u"),
    "run": an_item(_RUN, content_type="courserun", start=_START, end=_END),
    "run_without_end": an_item(_RUN, content_type="courserun", start=_START),
    "run_that_ends_before_it_starts": an_item(_RUN, content_type="courserun", start=_END, end=_START),
    "run_before_1970": an_item(_RUN, content_type="courserun", start=datetime(1969, 12, 31, tzinfo=UTC)),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "program_without_any_url": an_item(content_type="program", enrollment_url="", marketing_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway", enrollment_url=""),
}
