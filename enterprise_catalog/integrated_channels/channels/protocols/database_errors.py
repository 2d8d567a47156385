"""Classification of an LMS's database errors, if the LMS passes on the message of its database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.exceptions import RejectedError, RejectedForNowError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.exceptions import SyncError

#: Parts of error messages from MariaDB, MySQL and PostgreSQL, in lower case.
_LOCK_WORDS: Final = ("lock wait timeout", "deadlock", "lock timeout", "could not serialize")
_BAD_VALUE_WORDS: Final = ("too long", "out of range", "incorrect string value", "cannot be null")


def narrowed(error: type[SyncError], message: str | None) -> type[SyncError]:
    """Return a more specific error class, based on the message of the database.

    Narrows only ``RejectedForNowError``: a lock error becomes retryable, and an invalid value a final rejection.

    Args:
        message: the message of the database; ``None`` or empty if the LMS does not include it.
    """
    lowered = (message or "").lower()
    if error is RejectedForNowError and any(lock in lowered for lock in _LOCK_WORDS):
        return RetryableError
    if error is RejectedForNowError and any(bad in lowered for bad in _BAD_VALUE_WORDS):
        return RejectedError
    return error
