"""Duration of creates in a large category of the sandbox Moodle, and the locks held meanwhile."""

from __future__ import annotations

import threading
from io import StringIO
from typing import TYPE_CHECKING

import httpx
import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.sandbox.management.commands import run_sandbox
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.web_service import CREATE, REST_PAGE, MoodleSandbox
from tests.integrated_channels.loopback_server import on_loopback
from tests.sandbox.moodle.client import MoodleClient, control, new_course, numbered

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.application import SandboxApplication

LOCKED = {
    "exception": "dml_write_exception",
    "errorcode": "dmlwriteexception",
    "message": "Error writing to database",
}


def with_courses(count: int, *, category: int = 1) -> tuple[MoodleSandbox, list[float]]:
    """Return a Moodle with ``count`` courses in a category, and a list that collects the seconds its creates sleep."""
    naps: list[float] = []
    moodle = MoodleSandbox(sort_seconds_per_course=0.0004, sleep=naps.append, category_ids={1, 2})
    for number in range(count):
        moodle.table.add(Course(shortname=f"Old {number}", fullname="Old", categoryid=category))
    return moodle, naps


def named(*names: str, category: int = 1) -> list[dict[str, str]]:
    return [{"shortname": name, "categoryid": str(category)} for name in names]


@pytest.mark.parametrize(
    ("before", "created", "seconds"), [(100, 20, 0.9), (1_479, 20, 11.9), (1_479, 100, 61.1), (4_399, 100, 177.9)]
)
def test_creates_take_as_long_as_was_observed(before: int, created: int, seconds: float) -> None:
    moodle, naps = with_courses(before)

    MoodleClient(moodle).create(*named(*(f"New {number}" for number in range(created))))

    assert naps == [pytest.approx(seconds, abs=0.1)]


def test_courses_of_other_categories_cost_nothing() -> None:
    moodle, naps = with_courses(1_000, category=2)

    MoodleClient(moodle).create(*named("A", "B"))

    assert naps == [pytest.approx(0.0004)]  # Only the second create sorts, and only one course.


def test_courses_that_are_moved_or_removed_no_longer_count() -> None:
    moodle, _ = with_courses(3)
    moodle.table.remove(2)
    course = moodle.table.get(3)
    assert course is not None
    moodle.table.change(Course(id=3, shortname="Moved", fullname="Moved", categoryid=2))

    assert [moodle.table.count_in_category(category) for category in (1, 2)] == [1, 1]


def test_without_the_knob_a_create_takes_no_time() -> None:
    moodle, naps = with_courses(100)
    moodle.sort_seconds_per_course = 0.0

    MoodleClient(moodle).create(*named("A"))

    assert naps == []


@pytest.mark.parametrize("courses", ["", "courses[0]=x", "courses[0][categoryid]=x", "courses[0][categoryid]=77"])
def test_a_create_that_makes_no_sense_is_refused_as_ever(courses: str) -> None:
    moodle, _ = with_courses(1)
    fields = dict(part.split("=") for part in courses.split("&") if part)

    answer = MoodleClient(moodle).call(CREATE, fields)

    assert answer["errorcode"] in {"invalidparameter", "errorcatcontextnotvalid"}


def test_a_create_goes_on_when_its_client_has_gone_and_holds_up_only_its_category() -> None:
    moodle, _ = with_courses(1)
    may_end, has_ended = threading.Event(), threading.Event()

    def work(_: float) -> None:
        may_end.wait(30)
        has_ended.set()

    moodle.sleep, moodle.lock_wait_seconds = work, 0.05
    with on_loopback(moodle) as url, httpx.Client(base_url=url) as client:
        slow = {**numbered({**new_course(), **named("Slow")[0]}), **control(CREATE)}
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"/{REST_PAGE}", data=slow, timeout=0.3)

        in_process = MoodleClient(moodle)
        in_between = in_process.find("shortname", "Slow")
        locked_out = in_process.create(*named("Other"))
        moodle.sleep = lambda _: None
        elsewhere = in_process.create(*named("Elsewhere", category=2))
        may_end.set()
        assert has_ended.wait(30)
        after = in_process.create(*named("After"))

        assert in_between == {"courses": [], "warnings": []}
        assert locked_out == LOCKED
        assert [course["shortname"] for course in (*elsewhere, *after)] == ["Elsewhere", "After"]
        assert "Slow" in {course["shortname"] for course in moodle.courses}
        assert "Other" not in {course["shortname"] for course in moodle.courses}


def test_only_a_site_with_debugging_distinguishes_a_lock_from_a_bad_value() -> None:
    moodle, _ = with_courses(1)
    moodle.debug, moodle.lock_wait_seconds = True, 0.0

    with moodle.row_locks.lock(1):
        answer = MoodleClient(moodle).create(*named("A"))

    assert answer == {**LOCKED, "debuginfo": "Lock wait timeout exceeded; try restarting transaction"}


# --- knobs of run_sandbox ---------------------------------------------------------------------------------------------


def test_the_command_turns_knobs(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[SandboxApplication] = []

    def give_up(sandbox: SandboxApplication, *, port: int) -> None:
        del port
        served.append(sandbox)
        raise CommandError("enough")

    monkeypatch.setattr(run_sandbox, "make_loopback_server", give_up)
    knobs = ("--knob=sort_seconds_per_course=0.0004", "--knob=max_input_vars=5000")

    with pytest.raises(CommandError, match="enough"):
        call_command("run_sandbox", *knobs, channel="MOODLE", port="0", stdout=StringIO())

    [moodle] = served
    assert isinstance(moodle, MoodleSandbox)
    assert (moodle.sort_seconds_per_course, moodle.max_input_vars) == (0.0004, 5000)


@pytest.mark.parametrize(
    ("knob", "expected"),
    [
        ("colour=1", "has no knob 'colour'; its knobs: "),
        ("table=1", "no knob 'table'"),
        ("debug", "does not have the form NAME=NUMBER"),
    ],
)
def test_a_knob_that_does_not_exist_is_named(knob: str, expected: str) -> None:
    with pytest.raises(CommandError, match=expected):
        call_command("run_sandbox", f"--knob={knob}", channel="MOODLE", port="0", stdout=StringIO())
