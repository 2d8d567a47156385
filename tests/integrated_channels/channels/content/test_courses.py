"""Shared parts of the translations: collecting all rejection reasons, and choosing titles, descriptions and links."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from enterprise_catalog.integrated_channels.channels.content.courses import (
    Requirements,
    address_of,
    contradiction_of,
    described,
    description_of,
    host_of,
    is_web_address,
    link_to_course_page,
    owners_of,
    title_of,
)
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from tests.integrated_channels.channels.items import an_item

LECTERN: Final = Requirements("Lectern", 10, "Lectern takes 10.")


def test_all_problems_of_an_item_are_reported_in_order() -> None:
    item = an_item("K" * 11, content_type="learnerpathway", title="<br>")

    with pytest.raises(RejectedError) as raised:
        LECTERN.check(item, (item.start, "It has a start."), (True, "Nor is it short."))

    assert raised.value.message == (
        "A learner pathway cannot be sent to Lectern; only courses can be sent. "
        "The content key has 11 characters; Lectern takes 10. "
        "The item has no title; Lectern needs one. Nor is it short."
    )


def test_an_item_that_meets_all_requirements_is_not_refused() -> None:
    LECTERN.check(an_item("K" * 10), (False, "It is not so."), ("", "Nor so."))


def test_an_lms_may_have_its_own_sentence_for_unsupported_content() -> None:
    literal = Requirements("Lectern", 10, "Lectern takes 10.", sendable="No {kind} fits a {lms}.")

    with pytest.raises(RejectedError, match="No learner pathway fits a Lectern"):
        literal.check(an_item("K", content_type="learnerpathway"))


def test_executive_education_is_distinguished_by_its_title() -> None:
    assert title_of(an_item(title="<b>Lead</b>", course_type="executive-education-2u")) == "ExecEd: Lead"
    assert title_of(an_item(title="<b>Lead</b>")) == "Lead"
    assert title_of(an_item(title="<br>", course_type="executive-education-2u")) == ""


def test_texts_give_way_to_the_next_best() -> None:
    assert address_of(an_item(enrollment_url="", marketing_url="https://m.example.org")) == "https://m.example.org"
    assert description_of(an_item(full_description="<p> </p>", short_description="<i>Short</i>")) == "Short"
    assert description_of(an_item(full_description="", short_description="", title="T")) == "T"
    assert owners_of(an_item(organizations=("<b>A</b>", " ", "B"))) == ["A", "B"]


def test_a_link_is_escaped_and_omitted_if_empty() -> None:
    assert link_to_course_page('https://a.test/?"') == (
        '<a href="https://a.test/?&quot;" target="_blank">Go to the course page</a>'
    )
    assert link_to_course_page("") == ""


@pytest.mark.parametrize("text", ["", "a.test", "ftp://a.test", "javascript:alert(1)", "https://", "http://[a", "//a"])
def test_a_text_that_is_no_url_gives_no_link(text: str) -> None:
    assert is_web_address("https://a.test")
    assert host_of("https://a.test:8080/b") == "a.test:8080"
    assert not is_web_address(text)
    assert host_of(text) == ""


def test_contradictory_dates_are_reported() -> None:
    one, other = datetime(2027, 1, 5, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)

    assert contradiction_of(an_item(start=other, end=one)) == "The item ends (2027-01-05) before it starts (2027-02-01)"
    for start, end in ((one, other), (one, one), (None, one), (one, None), (None, None)):
        assert contradiction_of(an_item(start=start, end=end)) == ""


def test_the_longest_description_that_fits_is_taken_whole_or_else_the_title() -> None:
    item = an_item(full_description="<p>Lo\0ng</p>", short_description="Sh")

    texts = {length: described(item, head="<hr>", title="T & U", length=length) for length in (None, 15, 14, 6, 5)}

    whole = "<hr><p>Long</p>"
    assert texts == {None: whole, 15: whole, 14: "<hr>Sh", 6: "<hr>Sh", 5: "<hr>T &amp; U"}
