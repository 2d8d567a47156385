"""Knobs of the Moodle sandbox: site settings, site state, and the account with its capabilities."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.moodle.courses import SITE_COURSE_ID
from enterprise_catalog.sandbox.moodle.errors import (
    MoodleError,
    no_entry,
    no_permission,
    password_change_forced,
    policy_not_agreed,
    profile_incomplete,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from enterprise_catalog.sandbox.moodle.courses import Course

# Published; valid only in the sandbox.
TOKEN = "0123456789abcdef0123456789abcdef"
USERNAME = "sandbox-bot"
PASSWORD = "not-a-real-password"
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

#: Minimal set of capabilities to create, read, update and delete courses (observed).
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

# Labels from Moodle's English language pack. Messages contain the label, not the capability's name.
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
    """State of the site."""

    OPEN = auto()
    WEB_MAINTENANCE = auto()  #: Only administrators have access (``maintenance.php --enableold``).
    CLI_MAINTENANCE = auto()  #: No user has access (``maintenance.php --enable``): an HTML page with status 503.
    UPGRADING = auto()
    DATABASE_DOWN = auto()
    WEB_SERVICES_OFF = auto()  #: Web services, or only the REST protocol, are disabled.


@dataclass(kw_only=True, eq=False)
class MoodleSite:
    """The site and its only account. Every field can be changed while the sandbox runs.

    The defaults are a healthy site with the defaults of Moodle and PHP, and an account with minimal capabilities.
    """

    #: Base URL without a final slash. Requests to any other URL are redirected; ``None`` accepts any host.
    wwwroot: str | None = None
    state: SiteState = SiteState.OPEN
    debug: bool = False  #: Debugging is enabled: errors include ``debuginfo``.
    max_input_vars: int = 1000  #: PHP's limit for the number of variables in a request.
    fullname_limit: int = 254  #: In characters; 1333 from Moodle 5.0 on.
    category_ids: Collection[int] = frozenset({1})
    languages: Collection[str] = frozenset({"en"})
    clock: Callable[[], float] = time.time  #: Epoch seconds.
    #: Duration of a create per existing course in the category, because Moodle rewrites the sort order of all of them.
    #: 0.0004 on Moodle 4.5.6 (observed).
    sort_seconds_per_course: float = 0.0
    lock_wait_seconds: float = 50.0  #: Lock timeout of the database; InnoDB's default.
    sleep: Callable[[float], None] = time.sleep  #: Called to wait for the duration of the sorting.

    username: str = USERNAME
    password: str = PASSWORD
    suspended: bool = False
    is_admin: bool = False  #: An administrator has every capability, and access during web maintenance.
    capabilities: Collection[str] = SUFFICIENT_CAPABILITIES
    must_change_password: bool = False
    is_profile_complete: bool = True
    has_agreed_to_policy: bool = True  #: Not required for administrators.
    inaccessible_course_ids: Collection[int] = frozenset()  #: Courses that the account may not enter.

    overridden_course_ids: Collection[int] = frozenset()  #: Courses in which the account may change nothing.

    service: str = SERVICE  #: Short name of the service, which a token request must contain.
    service_enabled: bool = True
    functions: Collection[str] = FUNCTIONS  #: Functions of the service.

    def may(self, capability: str) -> bool:
        """Return True if the account has ``capability``."""
        return self.is_admin or capability in self.capabilities

    def require(self, capability: str, course: Course | None = None) -> None:
        """Raise ``nopermissions`` if the account lacks ``capability``, in ``course`` if one is given."""
        if not self.may(capability) or (course is not None and course.id in self.overridden_course_ids):
            raise no_permission(_CAPABILITY_LABELS[capability])

    def block(self) -> MoodleError | None:
        """Return the reason why the account cannot enter any course or category; ``None`` if it is not blocked.

        The checks have the order of ``require_login`` in lib/moodlelib.php.
        """
        if self.must_change_password:
            return password_change_forced()
        if not self.is_profile_complete:
            return profile_incomplete()
        return None if self.has_agreed_to_policy or self.is_admin else policy_not_agreed()

    def may_enter(self, course: Course) -> bool:
        """Return True if the account may enter ``course``. Any unblocked account may enter the site course."""
        if self.block():
            return False
        if course.id == SITE_COURSE_ID or self.is_admin:
            return True
        is_seen = course.visible == 1 or self.may("moodle/course:viewhiddencourses")
        return is_seen and self.may("moodle/course:view") and course.id not in self.inaccessible_course_ids

    def require_entry(self, course: Course) -> None:
        """Raise if the account may not enter ``course``: the reason that blocks it, or ``requireloginerror``."""
        if not self.may_enter(course):
            raise self.block() or no_entry()
