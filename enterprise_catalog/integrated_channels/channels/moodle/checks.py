"""Permission checks of a Moodle account, for ``test_channel`` and after rejected updates. They change nothing.

Two calls request changes that Moodle always rejects, but only after it has checked permissions (source, Moodle 3.9 to
4.5: course/externallib.php and ``update_course`` in course/lib.php):

* A create without full name and short name. Moodle checks the category, then ``moodle/course:create``, then the names.
* An update of the front page. Moodle checks all capabilities, and then rejects the front page itself. The update also
  has an end date before its start date, which Moodle rejects for any course.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels.moodle import courses
from enterprise_catalog.integrated_channels.channels.moodle.client import BLOCKED_ACCOUNT, Function
from enterprise_catalog.integrated_channels.channels.protocols import php_forms
from enterprise_catalog.integrated_channels.exceptions import (
    CredentialsError,
    RejectedError,
    RetryableError,
    StopSyncError,
    SyncError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from enterprise_catalog.integrated_channels.channels.moodle.client import WebService

#: Field of an update -> the capability that Moodle requires for it, in addition to ``moodle/course:update``.
_CAPABILITIES: Final[Mapping[str, str]] = {
    "fullname": "moodle/course:changefullname",
    "shortname": "moodle/course:changeshortname",
    "idnumber": "moodle/course:changeidnumber",
    "summary": "moodle/course:changesummary",
    "visible": "moodle/course:visibility",
}
UPDATE_CAPABILITY: Final = "moodle/course:update"  #: Also required to read ID numbers.
_OTHER_VALUE: Final = "Enterprise Catalog connection check"
_NO_ACCESS: Final = "accessexception"
#: Number of pages that are searched for a hidden course.
_PAGES_SEARCHED: Final = 5


class Warned(BaseModel):
    """A warning: one course of an update was not changed, and why."""

    itemid: int
    warningcode: str
    message: str = ""


class Warnings(BaseModel):
    """The response to an update."""

    warnings: list[Warned]


class _FunctionName(BaseModel):
    name: str


class _SiteInfo(BaseModel):
    functions: list[_FunctionName]


def find_problems(service: WebService, *, category_id: int, max_input_vars: int) -> list[str]:
    """Return the problems that would prevent syncs or drift reports, one sentence each. Changes nothing.

    Raises:
        SyncError: Moodle is unreachable, or rejects every call.
    """
    found, callable_functions = _find_missing_functions(service)
    checks: Sequence[tuple[Function, Callable[[], Sequence[str]]]] = (
        (Function.CREATE, lambda: _check_create(service, category_id)),
        (Function.UPDATE, lambda: _check_update(service)),
        (Function.LIST, lambda: _check_list(service, max_input_vars)),
    )
    if blocked := _find_block(service, callable_functions):
        return [*found, blocked]
    for function, check in checks:
        if function in callable_functions:
            found.extend(_run_check(function, check))
    return found


def find_missing_capabilities(service: WebService) -> list[str]:
    """Return the capabilities for updates that the account lacks in the system context.

    Raises:
        CredentialsError: Moodle blocks the account until an operator acts.
    """
    changes = {**dict.fromkeys(_CAPABILITIES, _OTHER_VALUE), "visible": courses.HIDDEN}
    never = {"id": courses.SITE_COURSE_ID, "startdate": 2, "enddate": 1}
    form = php_forms.bracketed("courses", [{**never, name: value} for name, value in changes.items()])
    warnings = service.call(Function.UPDATE, form, Warnings).warnings
    if len(warnings) != len(changes):
        counts = f"{len(warnings)} instead of {len(changes)}"
        raise RetryableError(f"Moodle returned an unexpected number of warnings about its front page: {counts}.")
    for warning in warnings:
        if warning.warningcode in BLOCKED_ACCOUNT:
            message = service.explained(warning.message, warning.warningcode)
            raise CredentialsError(message, status_code=200, vendor_code=warning.warningcode)
    refused = [name for name, warning in zip(changes, warnings, strict=True) if warning.warningcode == "nopermissions"]
    if len(refused) == len(changes) and len({warning.message for warning in warnings}) == 1:
        return [UPDATE_CAPABILITY]
    return [_CAPABILITIES[name] for name in refused]


def require_keys(service: WebService) -> None:
    """Check that the account can read ID numbers, by reading the front page.

    Raises:
        CredentialsError: the account cannot read ID numbers, so no course can be found by its key.
    """
    if any(course.idnumber is None for course in courses.find(service, "id", str(courses.SITE_COURSE_ID))):
        raise CredentialsError(
            "Moodle returns no ID numbers to this account: the account's role lacks moodle/course:update, or Moodle"
            " blocks the account (forced password change, incomplete profile, site policy). test_channel shows which."
        )


def lacks(capabilities: Sequence[str]) -> str:
    """Return a sentence that names the missing capabilities and the remedy."""
    them = "it" if len(capabilities) == 1 else "them"
    return f"The account's role lacks {', '.join(capabilities)}. Add {them} to the role in the system context."


def _run_check(function: Function, check: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Return the problems that a check finds. An error that ends the check counts as one problem."""
    try:
        return check()
    except SyncError as error:
        # ``accessexception``: the service lacks the function, although the site information lists it or is unavailable.
        return [f"The service lacks {function.value}. Add it." if error.vendor_code == _NO_ACCESS else error.message]


def _find_missing_functions(service: WebService) -> tuple[list[str], frozenset[Function]]:
    """Return the problems with the service's functions, and the functions that can be called."""
    try:
        info = service.call(Function.SITE_INFO, {}, _SiteInfo)
    except CredentialsError as error:
        if error.vendor_code != _NO_ACCESS:
            raise
        # The service may lack only this function. If no function can be called, this look-up raises.
        courses.find(service, "id", str(courses.SITE_COURSE_ID))
        message = f"The service lacks {Function.SITE_INFO.value}, so its functions cannot be listed. Add it."
        return [message], frozenset(Function)
    names = {function.name for function in info.functions}
    missing = [function.value for function in Function if function.value not in names]
    found = frozenset(function for function in Function if function.value in names)
    them = "it" if len(missing) == 1 else "them"
    return ([f"The service lacks {', '.join(missing)}. Add {them}."] if missing else []), found


def _find_block(service: WebService, functions: frozenset[Function]) -> str:
    """Return the problem if Moodle blocks the account in every course, such as before it agrees to the site policy.

    Empty if Moodle does not block the account.
    """
    if Function.LIST not in functions:
        return ""
    try:
        courses.fetch_by_ids(service, [courses.SITE_COURSE_ID])
    except StopSyncError as error:
        if error.vendor_code == _NO_ACCESS:
            return ""
        if error.vendor_code != "errorcoursecontextnotvalid":
            return error.message
        return (
            f"Moodle blocks this account: {error.message} Log in to Moodle as the account; then change its password,"
            " complete its profile or agree to the site policy, as Moodle asks."
        )
    return ""


def _check_create(service: WebService, category_id: int) -> Sequence[str]:
    nameless = {"fullname": "", "shortname": "", "categoryid": category_id, "startdate": 2, "enddate": 1}
    try:
        service.call(Function.CREATE, php_forms.bracketed("courses", [nameless]), object)
    except RejectedError as error:
        return [] if error.vendor_code == "errorinvalidparam" else [error.message]
    except CredentialsError as error:
        if error.vendor_code != "nopermissions":
            raise
        return [f"The account's role lacks moodle/course:create in category {category_id}. {error.message}"]
    return ["Moodle accepted a test course without a name. Delete it in Moodle. This Moodle is not supported."]


def _check_update(service: WebService) -> Sequence[str]:
    missing = find_missing_capabilities(service)
    return [lacks(missing)] if missing else []


def _check_list(service: WebService, max_input_vars: int) -> Sequence[str]:
    """Check that the account may list hidden courses. Raises the error of Moodle if it may not.

    Reads up to 5 pages of courses, until one contains a hidden course. Moodle rejects a list with a hidden course if
    the account lacks the capability to view it. Without a hidden course on these pages, the check is inconclusive.
    """
    pages = islice(courses.fetch_pages(service, max_input_vars=max_input_vars), _PAGES_SEARCHED)
    any(course.visible == courses.HIDDEN for page in pages for course in page)
    return []
