"""Validation of an LMS's JSON responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

T = TypeVar("T")

_ADAPTERS: Final[dict[object, TypeAdapter[Any]]] = {}


def read(kind: type[T], response: LMSResponse) -> T:
    """Parse the JSON of ``response`` as a ``kind``: a pydantic model, or a list or dictionary of models.

    Raises:
        RetryableError: the response does not validate. It is unknown if the LMS applied the call.
    """
    return validated(kind, response.json(), status_code=response.status_code)


def validated(kind: type[T], value: object, *, status_code: int) -> T:
    """Validate part of a response's JSON as a ``kind``. Raises as :func:`read` does."""
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        position = ".".join(map(str, first["loc"])) or type(value).__name__
        message = f"The LMS returned an unexpected response ({position}): {first['msg']}"
        raise RetryableError(message, status_code=status_code) from None


def read_or_none(kind: type[T], response: LMSResponse) -> T | None:
    """Parse the JSON of ``response`` as a ``kind``; ``None`` if it does not validate, such as the page of a proxy."""
    try:
        return _adapter(kind).validate_json(response.content)
    except ValidationError:
        return None


def require_there(response: LMSResponse, otherwise: str) -> None:
    """Check that the LMS is at the base URL. Use for a path that every installation of the LMS has.

    Args:
        otherwise: the error message for a 404 or 405.

    Raises:
        ConfigurationError: the status is 404 or 405, so the base URL is wrong.
    """
    if response.status_code in (404, 405):
        raise ConfigurationError(otherwise, status_code=response.status_code)


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Return the cached ``TypeAdapter`` of a ``kind``. Building one can take longer than parsing a response."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
