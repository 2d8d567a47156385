"""Listing the courses of a Moodle in ranges of IDs, across gaps in the IDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.channels.moodle import courses
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, ResponseTooLargeError
from enterprise_catalog.integrated_channels.lms import client as lms_client
from tests.integrated_channels.channels.moodle.connection import add, connected
from tests.sandbox.moodle.client import without

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

LIST = "core_course_get_courses"


def keys_of(channel: Moodle) -> list[str]:
    return [item.content_key for item in channel.list_items()]


def test_a_list_has_all_courses_with_a_key_and_not_the_front_page(moodle: MoodleSandbox, channel: Moodle) -> None:
    keys = [f"K{number:04}" for number in range(1_000)]
    for key in keys:
        add(moodle, key)
    add(moodle, "", shortname="without a key")

    assert keys_of(channel) == keys


@pytest.mark.parametrize("gap", [1, 199, 200, 5_000, 15_000])
def test_courses_after_a_gap_in_the_ids_are_found(moodle: MoodleSandbox, channel: Moodle, gap: int) -> None:
    add(moodle, "Before")
    for _ in range(gap):
        moodle.table.remove(int(add(moodle, "Removed")))
    add(moodle, "After")

    assert keys_of(channel) == ["Before", "After"]


def test_the_list_ends_soon_after_the_last_course(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "A")

    assert keys_of(channel) == ["A"]
    assert moodle.calls[LIST] <= 30


def test_the_ids_of_a_call_fit_max_input_vars(moodle: MoodleSandbox) -> None:
    moodle.max_input_vars = 100
    for number in range(300):
        add(moodle, f"K{number}")

    assert len(keys_of(connected(moodle, max_input_vars=100))) == 300


def test_a_part_that_is_too_large_is_read_in_halves(
    moodle: MoodleSandbox, channel: Moodle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        add(moodle, f"K{number}", summary="s" * 10_000)
    monkeypatch.setattr(lms_client, "MAX_RESPONSE_BYTES", 100_000)

    assert len(keys_of(channel)) == 50


def test_a_single_course_that_is_too_large_is_an_error(
    moodle: MoodleSandbox, channel: Moodle, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(moodle, "A", summary="s" * 200_000)
    monkeypatch.setattr(lms_client, "MAX_RESPONSE_BYTES", 100_000)

    with pytest.raises(ResponseTooLargeError):
        keys_of(channel)


def test_a_list_without_id_numbers_is_an_error_and_not_an_empty_list(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "A")
    moodle.capabilities = without("update")

    with pytest.raises(CredentialsError, match="lacks moodle/course:update"):
        keys_of(channel)


def test_a_hidden_course_that_the_account_may_not_enter_ends_the_list_with_a_remedy(
    moodle: MoodleSandbox, channel: Moodle
) -> None:
    add(moodle, "A", visible=0)
    moodle.capabilities = without("viewhiddencourses")

    with pytest.raises(CredentialsError, match="Add moodle/course:view and"):
        keys_of(channel)


def test_what_is_listed_is_as_it_was_sent(moodle: MoodleSandbox, channel: Moodle) -> None:
    add(moodle, "R&D <1>", fullname="R&D", shortname="A & B < C")

    [item] = channel.list_items()

    assert (item.title, item.fields["shortname"]) == ("R&D", "A & B < C")
    assert courses.find(channel.web_service, "idnumber", "R&D <1>")[0].fullname == "R&D"
