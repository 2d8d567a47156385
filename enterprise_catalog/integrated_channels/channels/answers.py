"""Validation of an LMS's JSON responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import Answer

T = TypeVar("T")

_ADAPTERS: Final[dict[object, TypeAdapter[Any]]] = {}


def read(kind: type[T], answer: Answer) -> T:
    """Parse the JSON of ``answer`` as a ``kind``: a pydantic model, or a list or dictionary of models.

    Raises:
        RetryableError: the response does not validate. It is unknown if the LMS applied the call.
    """
    return validated(kind, answer.json(), status_code=answer.status_code)


def validated(kind: type[T], value: object, *, status_code: int) -> T:
    """Validate part of a response's JSON as a ``kind``. Raises as :func:`read` does."""
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or type(value).__name__
        message = f"The LMS returned an unexpected response ({place}): {fault['msg']}"
        raise RetryableError(message, status_code=status_code) from None


def read_or_none(kind: type[T], answer: Answer) -> T | None:
    """Parse the JSON of ``answer`` as a ``kind``; ``None`` if it does not validate, such as the page of a proxy."""
    try:
        return _adapter(kind).validate_json(answer.content)
    except ValidationError:
        return None


def require_there(answer: Answer, otherwise: str) -> None:
    """Check that the LMS is at the base URL. Use for a path that every installation of the LMS has.

    Args:
        otherwise: the error message for a 404 or 405.

    Raises:
        ConfigurationError: the status is 404 or 405, so the base URL is wrong.
    """
    if answer.status_code in (404, 405):
        raise ConfigurationError(otherwise, status_code=answer.status_code)


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Return the cached ``TypeAdapter`` of a ``kind``. Building one can take longer than parsing a response."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
