"""Parameters of the web service functions, validated from PHP arrays as strictly as in Moodle.

Moodle rejects a whole call because of one unknown key, one missing key, or one value that its cleaning would change. It
does not name the parameter. The types follow the functions' descriptions in ``course/externallib.php``. Checks that
need stored data (an unknown category, a name that is taken) are in ``changes.py``.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enterprise_catalog.sandbox.moodle.errors import invalid_parameter
from enterprise_catalog.sandbox.moodle.php_forms import PHPArray
from enterprise_catalog.sandbox.moodle.text import is_clean, is_plain

ParametersT = TypeVar("ParametersT", bound="Parameters")
T = TypeVar("T")

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_INTEGER_LIMIT = 2**63  #: PHP's integer limit. Moodle's cleaning would change a larger number, so it is rejected.


def _check(is_valid: Callable[[str], bool], what: str) -> AfterValidator:
    def validate(value: str) -> str:
        if not is_valid(value):
            raise ValueError(what)
        return value

    return AfterValidator(validate)


def _to_integer(value: object) -> int:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value) or abs(int(value)) >= _INTEGER_LIMIT:
        raise ValueError("Only whole numbers without sign, zeros or spaces in front are accepted.")
    return int(value)


def _to_flag(value: object) -> int:
    if value not in ("0", "1"):
        raise ValueError("Only 0 and 1 are accepted.")
    return int(value == "1")


def _to_elements(value: object) -> list[object]:
    if not isinstance(value, dict):
        raise ValueError("Only arrays accepted.")  # noqa: TRY004  (a TypeError would escape pydantic)
    return list(value.values())


Raw = Annotated[str, _check(is_clean, "Invalid UTF-8.")]
Text = Annotated[str, _check(is_plain, "Tags are not accepted.")]
Integer = Annotated[int, BeforeValidator(_to_integer)]
Flag = Annotated[int, BeforeValidator(_to_flag)]
#: A PHP array read as a list: the elements in the order of sending. Their indices are ignored.
Elements = Annotated[list[T], BeforeValidator(_to_elements)]


class Parameters(BaseModel):
    """A PHP array with fixed keys. Any other key is rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormatOption(Parameters):
    """An option of a course format. Accepted, but not stored."""

    name: Raw
    value: Raw


class CustomField(Parameters):
    """A custom field. Accepted even if the site has no field of this name, but not stored."""

    shortname: Raw
    value: Raw


class OptionalSettings(Parameters):
    """Keys that are optional in creates and updates. ``None`` means not sent, which differs from empty."""

    idnumber: Raw | None = None
    summary: Raw | None = None
    summaryformat: Integer | None = None
    format: Raw | None = None
    lang: Raw | None = None
    startdate: Integer | None = None  #: Epoch seconds; 0 for no date.
    enddate: Integer | None = None  #: Epoch seconds; 0 for no date.
    visible: Flag | None = None
    # The following keys are validated, but not stored.
    showgrades: Flag | None = None
    newsitems: Integer | None = None
    numsections: Integer | None = None
    maxbytes: Integer | None = None
    showreports: Flag | None = None
    hiddensections: Integer | None = None
    groupmode: Integer | None = None
    groupmodeforce: Flag | None = None
    defaultgroupingid: Integer | None = None
    enablecompletion: Flag | None = None
    completionnotify: Flag | None = None
    forcetheme: Raw | None = None
    courseformatoptions: Elements[FormatOption] | None = None
    customfields: Elements[CustomField] | None = None


class NewCourse(OptionalSettings):
    """Keys of a new course."""

    fullname: Text
    shortname: Text
    categoryid: Integer


class CourseChanges(OptionalSettings):
    """Keys of a course update."""

    id: Integer
    fullname: Text | None = None
    shortname: Text | None = None
    categoryid: Integer | None = None


class NoParameters(Parameters):
    """Parameters of core_webservice_get_site_info. Its only parameter is obsolete, and not accepted here."""


class CreateCourses(Parameters):
    """Parameters of core_course_create_courses."""

    courses: Elements[NewCourse]


class UpdateCourses(Parameters):
    """Parameters of core_course_update_courses."""

    courses: Elements[CourseChanges]


class DeleteCourses(Parameters):
    """Parameters of core_course_delete_courses."""

    courseids: Elements[Integer]


class GetCoursesOptions(Parameters):
    """Options of core_course_get_courses. Without ids, the function returns all courses."""

    ids: Elements[Integer] = Field(default_factory=list)


class GetCourses(Parameters):
    """Parameters of core_course_get_courses."""

    options: GetCoursesOptions = GetCoursesOptions()


class GetCoursesByField(Parameters):
    """Parameters of core_course_get_courses_by_field. Without a field, the function returns all courses."""

    field: Raw = ""
    value: Raw = ""


def validate(model: type[ParametersT], parameters: PHPArray) -> ParametersT:
    """Parse ``parameters`` as ``model``.

    Raises:
        MoodleError: ``invalidparameter``, with the first problem as its ``debuginfo``.
    """
    try:
        return model.model_validate(parameters)
    except ValidationError as exc:
        first, *_ = exc.errors(include_url=False, include_input=False)
        place = " => ".join(str(step) for step in first["loc"])
        raise invalid_parameter(f"{place}: {first['msg']}") from exc
