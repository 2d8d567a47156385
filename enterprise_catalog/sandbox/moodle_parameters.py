"""What the web service functions accept, read from PHP arrays as strictly as Moodle does.

Moodle refuses a whole call for one unknown key, one missing key or one value that its cleaning would change, and names
none of them. The types follow the functions' descriptions in ``course/externallib.php``. Whether a value makes sense
(an unknown category, a name that is taken) is for ``moodle_changes.py``.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enterprise_catalog.sandbox.moodle_errors import invalid_parameter
from enterprise_catalog.sandbox.moodle_text import is_clean, is_plain
from enterprise_catalog.sandbox.php_forms import PHPArray

ParametersT = TypeVar("ParametersT", bound="Parameters")
T = TypeVar("T")

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_INTEGER_LIMIT = 2**63  #: PHP's; a larger number would not survive its cleaning.


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
#: A PHP array read as a list: the elements in the order of sending, whatever their indices.
Elements = Annotated[list[T], BeforeValidator(_to_elements)]


class Parameters(BaseModel):
    """A PHP array with fixed keys; any other key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormatOption(Parameters):
    """One option of a course format; accepted and not kept."""

    name: Raw
    value: Raw


class CustomField(Parameters):
    """One custom field; accepted even if the site has none of that name, and not kept."""

    shortname: Raw
    value: Raw


class OptionalSettings(Parameters):
    """The keys that neither creating nor updating a course asks for. None means not sent, which is not empty."""

    idnumber: Raw | None = None
    summary: Raw | None = None
    summaryformat: Integer | None = None
    format: Raw | None = None
    lang: Raw | None = None
    startdate: Integer | None = None  #: Epoch seconds; 0 is none.
    enddate: Integer | None = None  #: Epoch seconds; 0 is none.
    visible: Flag | None = None
    # What follows is checked, accepted and not kept.
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
    """One course to create."""

    fullname: Text
    shortname: Text
    categoryid: Integer


class CourseChanges(OptionalSettings):
    """One course to update."""

    id: Integer
    fullname: Text | None = None
    shortname: Text | None = None
    categoryid: Integer | None = None


class NoParameters(Parameters):
    """core_webservice_get_site_info: its one parameter is obsolete."""


class CreateCourses(Parameters):
    """core_course_create_courses."""

    courses: Elements[NewCourse]


class UpdateCourses(Parameters):
    """core_course_update_courses."""

    courses: Elements[CourseChanges]


class DeleteCourses(Parameters):
    """core_course_delete_courses."""

    courseids: Elements[Integer]


class GetCoursesOptions(Parameters):
    """The options of core_course_get_courses; no ids means all courses."""

    ids: Elements[Integer] = Field(default_factory=list)


class GetCourses(Parameters):
    """core_course_get_courses."""

    options: GetCoursesOptions = GetCoursesOptions()


class GetCoursesByField(Parameters):
    """core_course_get_courses_by_field; without a field it finds every course."""

    field: Raw = ""
    value: Raw = ""


def validate(model: type[ParametersT], parameters: PHPArray) -> ParametersT:
    """Return ``parameters`` as ``model``.

    Raises:
        MoodleError: ``invalidparameter``, with the first offence as its debuginfo.
    """
    try:
        return model.model_validate(parameters)
    except ValidationError as exc:
        first, *_ = exc.errors(include_url=False, include_input=False)
        place = " => ".join(str(step) for step in first["loc"])
        raise invalid_parameter(f"{place}: {first['msg']}") from exc
