"""Pagination: pages are fetched lazily, loops are detected, and links to other hosts are not followed."""

from __future__ import annotations

from typing import Final

import pytest

from enterprise_catalog.integrated_channels.channels.protocols.paging import follow_pages, linked_page, query_of
from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.integrated_channels.lms.client import LMSResponse

#: Page -> next page.
CHAIN: Final = {"one": "two", "two": "three", "three": None}


def linking(link: str) -> LMSResponse:
    return LMSResponse(200, b"", "", {"link": link})


def test_pages_are_fetched_as_they_are_used_and_end_with_the_last() -> None:
    fetched: list[str] = []

    def fetch(page: str) -> str:
        fetched.append(page)
        return page

    found = follow_pages(fetch, "one", CHAIN.__getitem__)

    assert (next(found), fetched) == ("one", ["one"])
    assert list(found) == ["two", "three"]


def test_a_list_that_leads_in_a_circle_is_no_list() -> None:
    found = follow_pages(str, "one", {"one": "two", "two": "one"}.__getitem__)

    assert [next(found), next(found)] == ["one", "two"]
    with pytest.raises(RetryableError, match="links back to a page that was already read"):
        next(found)


def test_of_a_link_only_the_parameters_are_taken() -> None:
    assert query_of("https://elsewhere.test/?page=2&key=a%2Bb") == {"page": "2", "key": "a+b"}
    assert [query_of(None), query_of("")] == [None, None]


def test_the_header_names_a_page_below_the_base_url() -> None:
    header = '<https://a.test/lms/courses?page=1>; rel="current", <https://a.test/lms/courses?page=2>; rel="next"'

    assert linked_page(linking(header), "https://a.test/lms") == "/courses?page=2"
    assert linked_page(linking('<https://a.test/lms/courses?page=1>; rel="first"'), "https://a.test/lms") is None
    assert linked_page(LMSResponse(200, b"", "", {}), "https://a.test") is None


@pytest.mark.parametrize(
    "header",
    [
        "<https://a.test/list?page=2>; rel=next",
        '<https://a.test/list?page=2>; title="Page 2"; rel="next"',
        '<https://a.test/list?ids=1,2>; rel="current",<https://a.test/list?page=2>;rel="next"',
    ],
)
def test_the_next_page_is_found_in_any_form_of_the_header(header: str) -> None:
    assert linked_page(linking(header), "https://a.test") == "/list?page=2"


def test_a_header_that_is_not_valid_names_no_page() -> None:
    assert [linked_page(linking(header), "https://a.test") for header in ("", ",;=", "<", 'rel="next"')] == [None] * 4


def test_another_host_is_not_gone_to() -> None:
    with pytest.raises(RetryableError, match=r"on another host, https://b\.test"):
        linked_page(linking('<https://b.test/courses?page=2>; rel="next"'), "https://a.test")
