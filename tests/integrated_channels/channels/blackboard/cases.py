"""Edge-case content items by name. ``golden/`` holds the requests that Blackboard gets for each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.integrated_channels.channels.items import a_bare_item, an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem

_HTML: Final = (
    "<script>alert('<b>x</b>')</script>\0<h2 class='x'>Part &amp; <b>parcel</b></h2><!-- <p>no</p> -->"
    "<table><tr><td>One</td><td>Two</td></tr></table><p onclick='x()'>It is <i>a < b</i> & more"
    "<p><a href='javascript:alert(1)'>bad</a> <a target=_blank href=\"https://www.example.org/?a=1&amp;b=2\">good</a>"
    "<img src=/relative.png><img src='https://img.example.org/a.png' alt='An \"A\"'></b><ul><li>One<br/>line"
)

CASES: Final[Mapping[str, ContentItem]] = {
    "course": an_item(),
    "all_texts_empty_but_the_title": a_bare_item(title="Data for All"),
    "only_a_short_description": an_item(full_description=""),
    "description_full_of_html": an_item(full_description=_HTML),
    "short_description_of_2000_characters": an_item(short_description="Long text " * 200),
    "title_of_340_characters": an_item(title="Long title " * 31),
    "title_in_many_scripts": an_item(
        title="Économie für Anfänger: 数据科学 для всех 🎓", organizations=("Università",)
    ),
    "title_with_tags_and_quotes": an_item(title='<b>Q&amp;A</b>: "R&D" isn\'t <3 &lt;easy&gt;'),
    "two_courses_with_one_title_a": an_item("Northwind+DATA101"),
    "two_courses_with_one_title_b": an_item("Northwind+DATA102"),
    "addresses_that_are_none": an_item(enrollment_url="javascript:alert(1)", image_url="/a.png"),
    "address_with_ampersand_and_quote": an_item(enrollment_url='https://learn.example.org/?a=1&b="2"'),
    "several_organizations": an_item(organizations=("Northwind Institute", "", "<b>A&amp;B</b> College")),
    "no_title": an_item(title="<p>&nbsp;</p>"),
    "key_with_slash_colon_ampersand_plus": an_item("North/wind:DATA&101+a b"),
    "key_in_another_script": an_item("Nörd+漢字"),
    "key_that_fits": an_item("northwind-data101"),
    "key_of_100_characters": an_item("Northwind+" + "K" * 90),
    "key_of_256_characters": an_item("Northwind+" + "K" * 246),
    "key_of_257_characters_and_no_title": an_item("Northwind+" + "K" * 247, title=""),
    "executive_education": an_item(course_type="executive-education-2u"),
    "run": an_item("course-v1:Northwind+DATA101+1T2026", content_type="courserun"),
    "program": an_item("d1c6f97e-459f-5941-8419-a15c832943d1", content_type="program", enrollment_url=""),
    "pathway": an_item("e2c6f97e-459f-5941-8419-a15c832943d2", content_type="learnerpathway", enrollment_url=""),
}
