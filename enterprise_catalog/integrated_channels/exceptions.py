"""Errors of a run, sorted by what to do about them.

::

    SyncError
     ├── RetryableError              retry these items later
     │    ├── ResponseTooLargeError       request less at once
     │    ├── DeadlineExceededError     retry, and end the run: the LMS is too slow for more calls
     │    └── TimedOutError             retry, but the LMS may still be processing the call
     ├── RejectedError               record these items as rejected, and continue
     │    ├── RejectedForNowError      retry: an invalid item, or a database lock
     │    └── RejectedInDoubtError     look the items up before sending them again
     ├── StopSyncError               nothing else in this run will work
     │    ├── CredentialsError         the LMS rejects the credentials
     │    ├── ConfigurationError       the configuration is invalid
     │    ├── ThrottledError           the LMS returned 429; continue later
     │    │    └── BudgetSpentError      the channel's rate limit is reached; continue later
     │    ├── LMSUnavailableError      several calls in a row failed
     │    ├── LMSTooSlowError          calls took too long; continue after a pause
     │    │    └── RunDeadlineError      the run took too long; continue after a pause
     │    ├── StopRequestedError       a stop was requested; the next run continues
     │    └── CatalogUnavailableError  the catalog service did not respond correctly
     ├── ChangesUnavailableError     compare all items instead
     └── LeaseLostError              another worker has taken over the run; write nothing more

Messages are written for people and never contain a secret.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class StopCause(StrEnum):
    """Causes that end a run early."""

    CREDENTIALS = "credentials"
    CONFIGURATION = "configuration"
    THROTTLED = "throttled"  #: The LMS accepts no more calls for now.
    BUDGET = "budget"  #: The channel's rate limit is reached.
    UNAVAILABLE = "unavailable"
    TOO_SLOW = "too_slow"
    TIME_LIMIT = "time_limit"  #: Of the run.
    REQUESTED = "requested"  #: The process was asked to stop.
    CATALOG = "catalog"  #: The catalog service did not respond correctly.
    OTHER = "other"


class SyncError(Exception):
    """Base class of all errors that this package raises on purpose."""

    def __init__(self, message: str, *, status_code: int | None = None, vendor_code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code  #: HTTP status; ``None`` without a response.
        self.vendor_code = vendor_code  #: The LMS's own error code; empty without one.

    def redact(self, redacted: Callable[[str], str]) -> None:
        """Apply ``redacted`` to all texts of the error."""
        self.message, self.vendor_code = redacted(self.message), redacted(self.vendor_code)
        self.args = (self.message,)


class RetryableError(SyncError):
    """The same call may work later: no connection, a timeout, 5xx. The LMS may or may not have applied it."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        vendor_code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, vendor_code=vendor_code)
        self.retry_after_seconds = retry_after_seconds  #: Requested by the LMS.


class ResponseTooLargeError(RetryableError):
    """The LMS's response exceeds the size limit. A list is then read in smaller parts."""


class DeadlineExceededError(RetryableError):
    """A call took too long and was cut off."""

    def __init__(self, message: str, *, is_of_run: bool = False) -> None:
        super().__init__(message)
        self.is_of_run = is_of_run  #: True if the run has no time left; False if the call exceeded its own limit.


class TimedOutError(RetryableError):
    """The LMS did not respond in time, and may still be processing the call."""


class RejectedError(SyncError):
    """The item cannot be sent, or the LMS rejects it. For a call with several items: at least one of them."""


class RejectedForNowError(RejectedError):
    """Rejected because of an invalid item or a temporary state of the LMS: it has one code for both.

    An example of a temporary state is a database lock. Nothing of the call was applied. An item that is rejected alone
    is retried.
    """


class RejectedInDoubtError(RejectedError):
    """Rejected with an error that the LMS also returns for calls that it has applied. A look-up is needed."""


class StopSyncError(SyncError):
    """Nothing else in this run will work. Items that were not sent do not change."""

    cause: ClassVar[StopCause] = StopCause.OTHER


class CredentialsError(StopSyncError):
    """The LMS rejects the credentials, or they lack a permission."""

    cause = StopCause.CREDENTIALS


class ConfigurationError(StopSyncError):
    """The configuration is invalid: a wrong URL, an unknown category, credentials that cannot be decrypted."""

    cause = StopCause.CONFIGURATION


class ThrottledError(StopSyncError):
    """429, or 403 of an older Canvas: too many calls for now. The call was not applied, and no item is to blame."""

    cause = StopCause.THROTTLED

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        vendor_code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, vendor_code=vendor_code)
        self.retry_after_seconds = retry_after_seconds  #: Requested by the LMS.


class BudgetSpentError(ThrottledError):
    """The channel's rate limit is reached. Nothing went wrong, and the LMS was not called."""

    cause = StopCause.BUDGET


class LMSUnavailableError(StopSyncError):
    """Several calls in a row failed for temporary reasons."""

    cause = StopCause.UNAVAILABLE


class LMSTooSlowError(StopSyncError):
    """A call, or several failed calls in a row, took too long. The pause before the next run grows each time."""

    cause = StopCause.TOO_SLOW


class RunDeadlineError(LMSTooSlowError):
    """The run exceeded its time limit. The next runs send the rest; the pause before them grows each time."""

    cause = StopCause.TIME_LIMIT

    MESSAGE: Final = "The run reached its time limit (SYNC_RUN_SECONDS). The next run continues."

    def __init__(self) -> None:
        super().__init__(self.MESSAGE)


class StopRequestedError(StopSyncError):
    """The process was asked to stop (SIGTERM, SIGINT). No item is to blame, and the next run continues."""

    cause = StopCause.REQUESTED


class CatalogUnavailableError(StopSyncError):
    """The catalog service did not respond, rejected the request, or returned an invalid response.

    Never treated as an empty catalog.
    """

    cause = StopCause.CATALOG


class NoChangesReason(StrEnum):
    """Reasons why the changes since a version are not available."""

    EXPIRED = "expired"  #: The catalog service does not have them: the version is unknown or too old.
    MANY = "many"  #: The diff by keys takes less time.
    MOVED = "moved"  #: A catalog changed while its changes were read.
    MISCOUNTED = "miscounted"  #: The changes do not fit the stored number of items.


class ChangesUnavailableError(SyncError):
    """The changes since a version are not available. The run compares all items with the catalogs instead."""

    def __init__(self, reason: NoChangesReason) -> None:
        super().__init__(f"No changes since the last comparison: {reason}.")
        self.reason = reason


class LeaseLostError(SyncError):
    """The run's lease expired, and another worker has it now."""
