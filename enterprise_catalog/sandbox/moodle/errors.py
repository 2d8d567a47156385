"""Errors of the Moodle sandbox as clients see them: exception class, error code and message.

Messages are verbatim from Moodle 4.5 (observed), or else from Moodle's English language pack. ``answers.py``
renders the errors, almost all with status 200.
"""

from __future__ import annotations

_CORE = "core\\exception\\"


class MoodleError(Exception):
    """Moodle rejects a request, or one item of a request.

    Args:
        code: ``errorcode``; ``None`` for PHP's own errors, whose responses lack the key.
        message: ``message``, in English.
        exception: ``exception``, the name of the PHP class.
        debuginfo: ``debuginfo``, only sent by sites with debugging enabled. It has the reason for ``invalidparameter``.
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
    """Reject a parameter that is missing, unknown, of the wrong type, or has a tag. Only ``debuginfo`` names it."""
    return MoodleError(
        "invalidparameter",
        "Invalid parameter value detected",
        exception=f"{_CORE}invalid_parameter_exception",
        debuginfo=reason,
    )


def invalid_token() -> MoodleError:
    """Reject a token that is missing, wrong, dropped because of ``max_input_vars``, or deleted after it expired."""
    return MoodleError("invalidtoken", "Invalid token - token not found")


def access_denied() -> MoodleError:
    """Reject an expired token, a function that the service lacks, or a disabled service, with the same body."""
    return MoodleError("accessexception", "Access control exception", exception="webservice_access_exception")


def user_suspended(username: str) -> MoodleError:
    """Reject the token of a suspended user."""
    return MoodleError("wsaccessusersuspended", f"Refused web service access for suspended username: {username}")


def no_permission(capability_label: str) -> MoodleError:
    """Reject a user who lacks a capability. The message contains its label, not its name."""
    return MoodleError(
        "nopermissions",
        f"Sorry, but you do not currently have permissions to do that ({capability_label}).",
        exception=f"{_CORE}required_capability_exception",
    )


def no_entry() -> MoodleError:
    """Reject a user who may not enter the course. A warning in updates; an exception in deletes."""
    return MoodleError(
        "requireloginerror", "Course or activity not accessible.", exception=f"{_CORE}require_login_exception"
    )


def password_change_forced() -> MoodleError:
    """Reject an account that must change its password first."""
    return MoodleError("forcepasswordchangenotice", "You must change your password to proceed.")


def profile_incomplete() -> MoodleError:
    """Reject an account whose profile lacks required fields."""
    return MoodleError("usernotfullysetup", "User not fully set up")


def policy_not_agreed() -> MoodleError:
    """Reject an account that has not agreed to the site policy."""
    return MoodleError("sitepolicynotagreed", "Site policy not agreed: http://moodle.test/user/policy.php")


def front_page_is_fixed() -> MoodleError:
    """Reject an update of the front page (source: ``update_course`` in course/lib.php)."""
    return MoodleError("invalidcourse", "You are trying to use an invalid course ID")


def record_not_found(table: str) -> MoodleError:
    """Reject a request for a row that does not exist: a function, or the course or category of an update."""
    return MoodleError(
        "invalidrecord",
        f"Can't find data record in database table {table}.",
        exception="dml_missing_record_exception",
    )


def category_not_valid(category_id: int, reason: str = "Invalid parameter value detected") -> MoodleError:
    """Reject a create in a category that does not exist, or that the account may not enter."""
    return MoodleError(
        "errorcatcontextnotvalid",
        f"You cannot execute functions in the category context (category id:{category_id}). "
        f"The context error message was: {reason}",
    )


def course_not_valid(course_id: int, reason: MoodleError) -> MoodleError:
    """Reject a list of courses if the account may not enter one of them."""
    return MoodleError(
        "errorcoursecontextnotvalid",
        f"You cannot execute functions in the course context (course id:{course_id}). "
        f"The context error message was: {reason.message}",
    )


def invalid_value(parameter: str) -> MoodleError:
    """Reject a well-formed but invalid value, such as an empty name or an unknown language."""
    return MoodleError("errorinvalidparam", f'The param "{parameter}" is invalid.')


def short_name_taken(shortname: str) -> MoodleError:
    """Reject a short name that equals the short name of another course in the database's collation."""
    return MoodleError("shortnametaken", f"Short name is already used for another course ({shortname})")


def id_number_taken(idnumber: str) -> MoodleError:
    """Reject an ID number that equals the ID number of another course in the database's collation."""
    return MoodleError("courseidnumbertaken", f"ID number is already used for another course ({idnumber})")


def end_before_start() -> MoodleError:
    """Reject an end date before the start date."""
    return MoodleError("enddatebeforestartdate", "The course end date must be after the start date.")


def end_without_start() -> MoodleError:
    """Reject an end date that is sent without a start date."""
    return MoodleError("nostartdatenoenddate", "A course end date can only be set if a start date is also set.")


def write_failed() -> MoodleError:
    """Reject a value that is too long for its database column."""
    return _write_error("Data too long for column 'idnumber' at row 1")


def lock_not_released() -> MoodleError:
    """Fail because another transaction has locked the rows. Only ``debuginfo`` distinguishes this from a bad value."""
    return _write_error("Lock wait timeout exceeded; try restarting transaction")


def _write_error(debuginfo: str) -> MoodleError:
    exception = "dml_write_exception"
    return MoodleError("dmlwriteexception", "Error writing to database", exception=exception, debuginfo=debuginfo)


def look_up_crashed() -> MoodleError:
    """Fail as ``field=ids`` does for an id that does not exist: with PHP's own error, which has no error code."""
    return MoodleError(None, 'Attempt to assign property "contextvalidated" on null', exception="Error")


def database_down() -> MoodleError:
    """Fail because the database is unreachable."""
    return MoodleError(
        "dbconnectionfailed",
        "<p>Error: Database connection failed</p>\n"
        "<p>It is possible that the database is overloaded or otherwise not running properly.</p>\n"
        "<p>The site administrator should also check that the database details have been correctly specified in "
        "config.php</p>",
        exception="dml_connection_exception",
    )


def upgrade_running() -> MoodleError:
    """Reject all requests while the site is being upgraded."""
    return MoodleError("upgraderunning", "Site is being upgraded, please retry later.")


def site_maintenance() -> MoodleError:
    """Reject all users except administrators while the site is in web maintenance mode."""
    return MoodleError("sitemaintenance", "The site is undergoing maintenance and is currently not available")


def web_services_disabled() -> MoodleError:
    """Reject a token request while web services are disabled."""
    return MoodleError("enablewsdescription", "Web services must be enabled in Advanced features.")


def login_failed() -> MoodleError:
    """Reject an unknown user, a wrong password, or a suspended user."""
    return MoodleError("invalidlogin", "Invalid login, please try again")


def service_not_available() -> MoodleError:
    """Reject a token request for a service that does not exist or is disabled."""
    return MoodleError("servicenotavailable", "Web service is not available (it doesn't exist or might be disabled)")


def parameter_missing(name: str) -> MoodleError:
    """Reject a login request that lacks a field."""
    return MoodleError("missingparam", f"A required parameter ({name}) was missing")
