"""Connection checks of Moodle: one sentence for each setup problem, and no changes in Moodle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import enterprise_catalog
from enterprise_catalog.integrated_channels.channels.moodle.client import Function
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RetryableError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.settings import FUNCTIONS, SUFFICIENT_CAPABILITIES
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.channels.moodle.connection import add, connected
from tests.sandbox.moodle.client import without

HOW_TO = Path(enterprise_catalog.__file__).parent.parent / "docs" / "how-tos" / "set_up_moodle.rst"


def problems_of(moodle: MoodleSandbox, **settings: Any) -> list[str]:
    """Return the problems found by a connection check. Asserts that the check changes nothing."""
    before = moodle.table.all()
    found = list(connected(moodle, **settings).check_connection())
    assert moodle.table.all() == before
    return found


def test_a_setup_with_what_the_how_to_lists_and_no_more_has_no_problems() -> None:
    moodle = MoodleSandbox(functions=listed("core_course_create_courses"), capabilities=listed("webservice/rest:use"))
    add(moodle, "A")
    add(moodle, "B", visible=0)

    assert problems_of(moodle) == []


@pytest.mark.parametrize("function", Function)
def test_a_function_that_the_service_lacks_is_named(function: Function) -> None:
    [problem] = problems_of(MoodleSandbox(functions=FUNCTIONS - {function.value}))

    assert problem.startswith(f"The service lacks {function.value}")


def test_missing_functions_are_named_where_the_service_cannot_be_listed() -> None:
    missing = {"core_webservice_get_site_info", "core_course_get_courses", "core_course_update_courses"}

    problems = problems_of(MoodleSandbox(functions=FUNCTIONS - missing))

    assert problems == [
        "The service lacks core_webservice_get_site_info, so its functions cannot be listed. Add it.",
        "The service lacks core_course_update_courses. Add it.",
        "The service lacks core_course_get_courses. Add it.",
    ]


def test_a_missing_list_function_hides_no_other_problem() -> None:
    moodle = MoodleSandbox(functions=FUNCTIONS - {"core_course_get_courses"}, has_agreed_to_policy=False)

    problems = problems_of(moodle)

    assert len(problems) == 3
    assert problems[0].startswith("The service lacks core_course_get_courses")
    assert "Site policy not agreed" in problems[1]
    assert problems[2].endswith("Log in to Moodle as this account and agree to the site policy.")


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"must_change_password": True}, "You must change your password to proceed."),
        ({"is_profile_complete": False}, "User not fully set up"),
        ({"has_agreed_to_policy": False}, "Site policy not agreed"),
    ],
)
def test_an_account_that_moodle_blocks_is_one_problem_with_a_remedy(knobs: dict[str, Any], words: str) -> None:
    [problem] = problems_of(MoodleSandbox(**knobs))

    assert problem.startswith("Moodle blocks this account: Moodle: You cannot execute functions in the course context")
    assert words in problem
    assert problem.endswith(
        "Log in to Moodle as the account; then change its password, complete its profile or agree to the site policy,"
        " as Moodle asks."
    )


def test_a_category_that_does_not_exist_is_named() -> None:
    [problem] = problems_of(MoodleSandbox(), category_id=999)

    assert "(category id:999)" in problem
    assert "Check category_id" in problem


@pytest.mark.parametrize(
    "capability",
    [
        "update",
        "changefullname",
        "changeshortname",
        "changeidnumber",
        "changesummary",
        "visibility",
    ],
)
def test_a_capability_that_updates_need_is_named(capability: str) -> None:
    problems = problems_of(MoodleSandbox(capabilities=without(capability)))

    assert problems == [
        f"The account's role lacks moodle/course:{capability}. Add it to the role in the system context."
    ]


def test_all_missing_capabilities_are_named_at_once() -> None:
    problems = problems_of(MoodleSandbox(capabilities=without("create", "changefullname", "visibility")))

    assert len(problems) == 2
    assert problems[0].startswith("The account's role lacks moodle/course:create in category 1. Moodle: Sorry, but you")
    assert "lacks moodle/course:changefullname, moodle/course:visibility. Add them" in problems[1]


@pytest.mark.parametrize("capability", ["view", "viewhiddencourses"])
def test_courses_that_the_account_may_not_see_are_a_problem(capability: str) -> None:
    moodle = MoodleSandbox(capabilities=without(capability))
    for number in range(300):
        add(moodle, f"Visible {number}")
    add(moodle, "Hidden", visible=0)

    [problem] = problems_of(moodle)

    assert "(course id:" in problem
    assert "Add moodle/course:view and moodle/course:viewhiddencourses to the account's role" in problem


def test_a_token_that_is_wrong_is_no_problem_of_the_service() -> None:
    moodle = MoodleSandbox()
    moodle.tokens.clear()

    with pytest.raises(CredentialsError) as raised:
        problems_of(moodle)

    assert raised.value.vendor_code == "invalidtoken"


def test_a_moodle_that_takes_an_update_of_its_front_page_is_not_trusted() -> None:
    moodle = MoodleSandbox()
    answer = Fault(kind=FaultKind.ANSWER, operation="core_course_update_courses", status=200, body='{"warnings": []}')
    moodle.faults.add(answer)

    assert problems_of(moodle) == [
        "Moodle returned an unexpected number of warnings about its front page: 0 instead of 5."
    ]


def test_a_moodle_that_takes_a_course_without_a_name_is_not_trusted() -> None:
    moodle = MoodleSandbox()
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses", status=200, body="[]"))

    [problem] = problems_of(moodle)

    assert problem.startswith("Moodle accepted a test course without a name")


def test_a_response_that_is_no_list_is_reported() -> None:
    moodle = MoodleSandbox()
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_webservice_get_site_info", status=200, body="[]"))

    with pytest.raises(RetryableError, match="an unexpected response"):
        problems_of(moodle)


# --- the how-to -------------------------------------------------------------------------------------------------------


def listed(first: str) -> frozenset[str]:
    """Return the entries of the how-to's text block whose first entry is ``first``."""
    text = HOW_TO.read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: text\n\n((?: +\S+\n)+)", text)
    [lines] = [block.split() for block in blocks if block.split()[0] == first]
    return frozenset(lines)


def test_the_how_to_lists_the_functions_that_the_channel_calls() -> None:
    assert listed("core_course_create_courses") == {function.value for function in Function}


def test_the_how_to_lists_no_capability_that_is_not_known_to_suffice() -> None:
    assert listed("webservice/rest:use") < SUFFICIENT_CAPABILITIES
