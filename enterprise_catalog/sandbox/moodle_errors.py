"""Moodle's exceptions as a client sees them: class, error code and message.

The bodies observed on Moodle 4.5 are given to the letter; ``moodle_answers.py`` renders them. A site answers nearly all
of them with HTTP 200. Where a message was not observed it is the English string of Moodle's language pack.
"""

from __future__ import annotations

_CORE = "core\\exception\\"


class MoodleError(Exception):
    """A request, or one item of it, that Moodle refuses.

    Args:
        code: ``errorcode``; None for PHP's own errors, whose answers lack the key.
        message: ``message``, in English.
        exception: ``exception``, PHP's class name.
        debuginfo: what a site with debugging on adds; the reason behind the catch-all ``invalidparameter``.
    """

    def __init__(
        self,
        code: str | None,
        message: str,
        *,
        exception: str = f"{_CORE}moodle_exception",
        debuginfo: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exception = exception
        self.debuginfo = debuginfo


def invalid_parameter(reason: str) -> MoodleError:
    """Refuse a bad parameter: missing, unknown, of the wrong type, with a tag. Only ``debuginfo`` says which."""
    return MoodleError(
        "invalidparameter",
        "Invalid parameter value detected",
        exception=f"{_CORE}invalid_parameter_exception",
        debuginfo=reason,
    )


def invalid_token() -> MoodleError:
    """Refuse a token that is missing, wrong, cut off by ``max_input_vars``, or was deleted when it expired."""
    return MoodleError("invalidtoken", "Invalid token - token not found")


def access_denied() -> MoodleError:
    """Refuse an expired token, a function that the service lacks, a disabled service: one body for all."""
    return MoodleError("accessexception", "Access control exception", exception="webservice_access_exception")


def user_suspended(username: str) -> MoodleError:
    """Refuse the token of a suspended user."""
    return MoodleError("wsaccessusersuspended", f"Refused web service access for suspended username: {username}")


def no_permission(capability_label: str) -> MoodleError:
    """Refuse a user who lacks a capability, named in words."""
    return MoodleError(
        "nopermissions",
        f"Sorry, but you do not currently have permissions to do that ({capability_label}).",
        exception=f"{_CORE}required_capability_exception",
    )


def no_entry() -> MoodleError:
    """Refuse a user who may not enter the course. An update warns of it, a delete stops at it."""
    return MoodleError(
        "requireloginerror", "Course or activity not accessible.", exception=f"{_CORE}require_login_exception"
    )


def password_change_forced() -> MoodleError:
    """Refuse an account that has to change its password first."""
    return MoodleError("forcepasswordchangenotice", "You must change your password to proceed.")


def profile_incomplete() -> MoodleError:
    """Refuse an account whose profile lacks required fields."""
    return MoodleError("usernotfullysetup", "User not fully set up")


def policy_not_agreed() -> MoodleError:
    """Refuse an account that has not agreed to the site policy."""
    return MoodleError("sitepolicynotagreed", "Site policy not agreed: http://moodle.test/user/policy.php")


def front_page_is_fixed() -> MoodleError:
    """Refuse to update the front page (source: ``update_course`` in course/lib.php)."""
    return MoodleError("invalidcourse", "You are trying to use an invalid course ID")


def record_not_found(table: str) -> MoodleError:
    """Refuse what asks for a row that does not exist: a function, the course or category of an update."""
    return MoodleError(
        "invalidrecord",
        f"Can't find data record in database table {table}.",
        exception="dml_missing_record_exception",
    )


def category_not_valid(category_id: int, reason: str = "Invalid parameter value detected") -> MoodleError:
    """Refuse to create a course in a category that does not exist, or that the account may not enter."""
    return MoodleError(
        "errorcatcontextnotvalid",
        f"You cannot execute functions in the category context (category id:{category_id}). "
        f"The context error message was: {reason}",
    )


def course_not_valid(course_id: int, reason: MoodleError) -> MoodleError:
    """Refuse to list courses of which one may not be entered."""
    return MoodleError(
        "errorcoursecontextnotvalid",
        f"You cannot execute functions in the course context (course id:{course_id}). "
        f"The context error message was: {reason.message}",
    )


def invalid_value(parameter: str) -> MoodleError:
    """Refuse a well-formed value that Moodle has no use for: an empty name, an unknown language."""
    return MoodleError("errorinvalidparam", f'The param "{parameter}" is invalid.')


def short_name_taken(shortname: str) -> MoodleError:
    """Refuse a short name that another course has, or one the database takes for the same."""
    return MoodleError("shortnametaken", f"Short name is already used for another course ({shortname})")


def id_number_taken(idnumber: str) -> MoodleError:
    """Refuse an ID number that another course has, or one the database takes for the same."""
    return MoodleError("courseidnumbertaken", f"ID number is already used for another course ({idnumber})")


def end_before_start() -> MoodleError:
    """Refuse two dates in the wrong order."""
    return MoodleError("enddatebeforestartdate", "The course end date must be after the start date.")


def end_without_start() -> MoodleError:
    """Refuse an end date sent without a start date."""
    return MoodleError("nostartdatenoenddate", "A course end date can only be set if a start date is also set.")


def write_failed() -> MoodleError:
    """Refuse a value that is too long for its column."""
    return _write_error("Data too long for column 'idnumber' at row 1")


def lock_not_released() -> MoodleError:
    """Fail because another transaction holds the rows; only ``debuginfo`` tells this from a bad value."""
    return _write_error("Lock wait timeout exceeded; try restarting transaction")


def _write_error(debuginfo: str) -> MoodleError:
    exception = "dml_write_exception"
    return MoodleError("dmlwriteexception", "Error writing to database", exception=exception, debuginfo=debuginfo)


def look_up_crashed() -> MoodleError:
    """Fail as ``field=ids`` does on an id that does not exist: PHP's own error, without an error code."""
    return MoodleError(None, 'Attempt to assign property "contextvalidated" on null', exception="Error")


def database_down() -> MoodleError:
    """Fail because the database cannot be reached."""
    return MoodleError(
        "dbconnectionfailed",
        "<p>Error: Database connection failed</p>\n"
        "<p>It is possible that the database is overloaded or otherwise not running properly.</p>\n"
        "<p>The site administrator should also check that the database details have been correctly specified in "
        "config.php</p>",
        exception="dml_connection_exception",
    )


def upgrade_running() -> MoodleError:
    """Refuse everybody while the site is being upgraded."""
    return MoodleError("upgraderunning", "Site is being upgraded, please retry later.")


def site_maintenance() -> MoodleError:
    """Refuse all but administrators, in maintenance mode as set on the web."""
    return MoodleError("sitemaintenance", "The site is undergoing maintenance and is currently not available")


def web_services_disabled() -> MoodleError:
    """Refuse to hand out tokens while web services are off."""
    return MoodleError("enablewsdescription", "Web services must be enabled in Advanced features.")


def login_failed() -> MoodleError:
    """Refuse an unknown user, a wrong password, or a suspended user."""
    return MoodleError("invalidlogin", "Invalid login, please try again")


def service_not_available() -> MoodleError:
    """Refuse a token for a service that does not exist or is disabled."""
    return MoodleError("servicenotavailable", "Web service is not available (it doesn't exist or might be disabled)")


def parameter_missing(name: str) -> MoodleError:
    """Refuse a login that lacks a field."""
    return MoodleError("missingparam", f"A required parameter ({name}) was missing")
