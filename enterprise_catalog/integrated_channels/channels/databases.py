"""Errors of an LMS's database, as far as the LMS passes on the database's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.exceptions import RejectedError, RejectedForNowError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.exceptions import SyncError

#: Of MariaDB, MySQL and PostgreSQL, in lower case.
_LOCK_WORDS: Final = ("lock wait timeout", "deadlock", "lock timeout", "could not serialize")
_BAD_VALUE_WORDS: Final = ("too long", "out of range", "incorrect string value", "cannot be null")


def narrowed(error: type[SyncError], words: str | None) -> type[SyncError]:
    """Return what an error means in the light of the database's words; only ``RejectedForNowError`` is ambiguous.

    Args:
        words: the database's message; ``None`` or empty if the LMS does not show it.
    """
    told = (words or "").lower()
    if error is RejectedForNowError and any(lock in told for lock in _LOCK_WORDS):
        return RetryableError
    if error is RejectedForNowError and any(bad in told for bad in _BAD_VALUE_WORDS):
        return RejectedError
    return error
