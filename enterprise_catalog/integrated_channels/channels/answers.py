"""Reading what a learning system answers: as what it should be, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import Answer

T = TypeVar("T")

_ADAPTERS: Final[dict[object, TypeAdapter[Any]]] = {}


def read(kind: type[T], answer: Answer) -> T:
    """Return the JSON of ``answer`` as a ``kind``: a pydantic model, or a list or dictionary of such.

    Raises:
        RetryableError: it is something else; whether the call was carried out is not known.
    """
    return validated(kind, answer.json(), status_code=answer.status_code)


def validated(kind: type[T], value: object, *, status_code: int) -> T:
    """Return a value out of an answer's JSON as a ``kind``, as :func:`read` does."""
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or type(value).__name__
        message = f"The learning system answered with something unexpected ({place}): {fault['msg']}"
        raise RetryableError(message, status_code=status_code) from None


def read_or_none(kind: type[T], answer: Answer) -> T | None:
    """Return the JSON of ``answer`` as a ``kind``; ``None`` if it is something else, such as the page of a proxy."""
    try:
        return _adapter(kind).validate_json(answer.content)
    except ValidationError:
        return None


def require_there(answer: Answer, otherwise: str) -> None:
    """Make sure that it is the LMS that answers, where each LMS has something.

    Args:
        otherwise: what is said of a 404 or 405.

    Raises:
        ConfigurationError: it is one, so that the base URL is wrong.
    """
    if answer.status_code in (404, 405):
        raise ConfigurationError(otherwise, status_code=answer.status_code)


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Return what validates a ``kind``; building it takes longer than many answers take to be read."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
