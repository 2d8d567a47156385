"""Reading what a learning system answers: as what it should be, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from enterprise_catalog.integrated_channels.exceptions import RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import Answer

T = TypeVar("T")


def read(adapter: TypeAdapter[T], answer: Answer) -> T:
    """Return the JSON of ``answer`` as what it should be.

    Raises:
        RetryableError: it is something else; whether the call was carried out is not known.
    """
    value = answer.json()
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or type(value).__name__
        message = f"The learning system answered with something unexpected ({place}): {fault['msg']}"
        raise RetryableError(message, status_code=answer.status_code) from None
