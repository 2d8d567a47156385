"""What can go wrong in a run, sorted by what to do about it.

::

    SyncError
     ├── RetryableError              these items, later
     │    ├── AnswerTooLargeError       ask for less at once
     │    ├── DeadlineExceededError     so, and the run ends: the LMS is too slow for more calls
     │    └── TimedOutError             so, but the LMS may still be working on the call
     ├── RejectedError               record these items as refused, go on
     │    ├── RejectedForNowError      retry: a bad item, or a database lock
     │    └── RejectedInDoubtError     so, but look before any of it is sent again
     ├── StopSyncError               nothing else of this run will work
     │    ├── CredentialsError         the LMS no longer knows us
     │    ├── ConfigurationError       the configuration cannot work as it is
     │    ├── ThrottledError           the LMS asks us to slow down; go on later
     │    │    └── BudgetSpentError      the LMS was sent all calls that it takes for now
     │    ├── LMSUnavailableError      one chunk after the other failed
     │    ├── LMSTooSlowError          calls took too long; go on after a pause
     │    │    └── RunDeadlineError      the run took too long; go on after a pause
     │    ├── StopRequestedError       the process was asked to stop; go on with the next run
     │    └── CatalogUnavailableError  the catalog did not answer as it should
     └── LeaseLostError              another worker has taken the run over; write nothing more

Messages are for people and never hold a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class SyncError(Exception):
    """Anything that this package raises on purpose."""

    def __init__(self, message: str, *, status_code: int | None = None, vendor_code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code  #: HTTP; ``None`` when nothing came back.
        self.vendor_code = vendor_code  #: The LMS's own word for the error, if it has one.

    def redact(self, redacted: Callable[[str], str]) -> None:
        """Take out of all that it says what ``redacted`` takes out of a text."""
        self.message, self.vendor_code = redacted(self.message), redacted(self.vendor_code)
        self.args = (self.message,)


class RetryableError(SyncError):
    """The same call may work later: no connection, a time-out, 5xx. Whether it was applied is not known."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        vendor_code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, vendor_code=vendor_code)
        self.retry_after_seconds = retry_after_seconds  #: What the LMS asked for.


class AnswerTooLargeError(RetryableError):
    """The LMS's answer exceeds the size limit. A list is then read in smaller parts."""


class DeadlineExceededError(RetryableError):
    """A call took too long and was broken off."""

    def __init__(self, message: str, *, is_of_run: bool = False) -> None:
        super().__init__(message)
        self.is_of_run = is_of_run  #: The run has no time left; else the call took longer than a call may.


class TimedOutError(RetryableError):
    """The LMS did not answer in time, and may still be working on the call."""


class RejectedError(SyncError):
    """The item cannot be sent, or the LMS refuses it. Of a call with several items: at least one of them."""


class RejectedForNowError(RejectedError):
    """Refused for a bad item or for a passing state of the LMS (a database lock): the LMS has one code for both.

    Nothing of the call was applied. An item that is refused alone is retried.
    """


class RejectedInDoubtError(RejectedError):
    """Refused in a way in which the LMS also refuses what it has done; a look tells."""


class StopSyncError(SyncError):
    """Nothing else of this run will work; items not sent yet stay as they are."""


class CredentialsError(StopSyncError):
    """The LMS refuses our credentials, or what they may do."""


class ConfigurationError(StopSyncError):
    """The configuration cannot work: a wrong address, a category that does not exist, credentials we cannot read."""


class ThrottledError(StopSyncError):
    """429: too many calls for now. This one was not applied, and no item is to blame."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        vendor_code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, vendor_code=vendor_code)
        self.retry_after_seconds = retry_after_seconds  #: What the LMS asked for.


class BudgetSpentError(ThrottledError):
    """The channel's rate limit is reached; nothing went wrong, and the LMS was not asked."""


class LMSUnavailableError(StopSyncError):
    """Several calls in a row failed for reasons that may pass."""


class LMSTooSlowError(StopSyncError):
    """A call, or calls that failed in a row, took too long. The configuration's next runs wait longer each time."""


class RunDeadlineError(LMSTooSlowError):
    """The run took longer than a run may. What is left is sent by the next runs, which wait longer each time."""

    MESSAGE: Final = "The run reached its time limit (SYNC_RUN_SECONDS). The next run continues."

    def __init__(self) -> None:
        super().__init__(self.MESSAGE)


class StopRequestedError(StopSyncError):
    """The process was asked to stop (SIGTERM, SIGINT). No item is to blame, and the next run continues."""


class CatalogUnavailableError(StopSyncError):
    """The catalog service did not answer, refused us, or cannot be understood; never taken for an empty catalog."""


class LeaseLostError(SyncError):
    """The run's lease expired and another worker has it now."""
