"""The knobs of a Moodle site: what its administrator set, what the account may do, and what state the site is in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.moodle_courses import SITE_COURSE_ID
from enterprise_catalog.sandbox.moodle_errors import (
    MoodleError,
    no_entry,
    no_permission,
    password_change_forced,
    policy_not_agreed,
    profile_incomplete,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from enterprise_catalog.sandbox.moodle_courses import Course

# Published and good for nothing but the sandbox.
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  (fake)
USERNAME = "sandbox-bot"
PASSWORD = "not-a-real-password"  # noqa: S105  (fake)
SERVICE = "course_sync"

FUNCTIONS = frozenset(
    {
        "core_course_create_courses",
        "core_course_delete_courses",
        "core_course_get_courses",
        "core_course_get_courses_by_field",
        "core_course_update_courses",
        "core_webservice_get_site_info",
    }
)

#: The least that was seen to suffice for creating, reading, updating and deleting.
SUFFICIENT_CAPABILITIES = frozenset(
    {
        "webservice/rest:use",
        "moodle/course:changecategory",
        "moodle/course:changefullname",
        "moodle/course:changeidnumber",
        "moodle/course:changeshortname",
        "moodle/course:changesummary",
        "moodle/course:create",
        "moodle/course:delete",
        "moodle/course:update",
        "moodle/course:view",
        "moodle/course:viewhiddencourses",
        "moodle/course:visibility",
    }
)

# What Moodle's English language pack calls them; only these turn up in messages.
_CAPABILITY_LABELS = {
    "moodle/course:changecategory": "Change course category",
    "moodle/course:changefullname": "Change course full name",
    "moodle/course:changeidnumber": "Change course ID number",
    "moodle/course:changeshortname": "Change course short name",
    "moodle/course:changesummary": "Change course summary",
    "moodle/course:create": "Create courses",
    "moodle/course:setforcedlanguage": "Force course language",
    "moodle/course:update": "Update course settings",
    "moodle/course:visibility": "Hide/show courses",
}


class SiteState(Enum):
    """How the site is doing."""

    OPEN = auto()
    WEB_MAINTENANCE = auto()  #: Only administrators are let in (``maintenance.php --enableold``).
    CLI_MAINTENANCE = auto()  #: Nobody is (``--enable``): an HTML page at 503.
    UPGRADING = auto()
    DATABASE_DOWN = auto()
    WEB_SERVICES_OFF = auto()  #: Web services, or only the REST protocol.


@dataclass(kw_only=True, eq=False)
class MoodleSite:
    """The site and the one account that calls it. Every field may also be changed while the sandbox runs.

    The defaults are a healthy site at Moodle's and PHP's own defaults, and an account with what it needs and no more.
    """

    wwwroot: str | None = None  #: The only base URL at which the site answers, without a final slash; None: any host.
    state: SiteState = SiteState.OPEN
    debug: bool = False  #: Debugging is on: errors carry ``debuginfo``.
    max_input_vars: int = 1000  #: PHP's limit on variables in a request.
    fullname_limit: int = 254  #: In characters; 1333 from Moodle 5.0 on.
    category_ids: Collection[int] = frozenset({1})
    languages: Collection[str] = frozenset({"en"})
    clock: Callable[[], float] = time.time  #: Epoch seconds.
    #: Time that creating one course takes for each course in its category, whose sort order Moodle rewrites; 0.0004 was
    #: observed on Moodle 4.5.6.
    sort_seconds_per_course: float = 0.0
    lock_wait_seconds: float = 50.0  #: Of the database, until it refuses a write; InnoDB's default.
    sleep: Callable[[float], None] = time.sleep  #: Takes the time that sorting takes.

    username: str = USERNAME
    password: str = PASSWORD
    suspended: bool = False
    is_admin: bool = False  #: An administrator has every capability and passes web maintenance.
    capabilities: Collection[str] = SUFFICIENT_CAPABILITIES
    must_change_password: bool = False
    is_profile_complete: bool = True
    has_agreed_to_policy: bool = True  #: Administrators need not agree.
    inaccessible_course_ids: Collection[int] = frozenset()  #: Courses the account may not enter.

    overridden_course_ids: Collection[int] = frozenset()  #: Courses in which the account may change nothing.

    service: str = SERVICE  #: The short name under which a token is asked for.
    service_enabled: bool = True
    functions: Collection[str] = FUNCTIONS  #: The functions the service holds.

    def may(self, capability: str) -> bool:
        """Whether the account has ``capability``."""
        return self.is_admin or capability in self.capabilities

    def require(self, capability: str, course: Course | None = None) -> None:
        """Raise ``nopermissions`` unless the account has ``capability``, in ``course`` if one is given."""
        if not self.may(capability) or (course is not None and course.id in self.overridden_course_ids):
            raise no_permission(_CAPABILITY_LABELS[capability])

    def block(self) -> MoodleError | None:
        """Return why the account is let into no course and no category; ``None`` if nothing is in its way.

        The order is that of ``require_login`` in lib/moodlelib.php.
        """
        if self.must_change_password:
            return password_change_forced()
        if not self.is_profile_complete:
            return profile_incomplete()
        return None if self.has_agreed_to_policy or self.is_admin else policy_not_agreed()

    def may_enter(self, course: Course) -> bool:
        """Whether the account may enter ``course``; the site course is open to all accounts that are not blocked."""
        if self.block():
            return False
        if course.id == SITE_COURSE_ID or self.is_admin:
            return True
        is_seen = course.visible == 1 or self.may("moodle/course:viewhiddencourses")
        return is_seen and self.may("moodle/course:view") and course.id not in self.inaccessible_course_ids

    def require_entry(self, course: Course) -> None:
        """Raise unless the account may enter ``course``: what blocks the account, or ``requireloginerror``."""
        if not self.may_enter(course):
            raise self.block() or no_entry()
