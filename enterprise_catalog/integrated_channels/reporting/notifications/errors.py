"""The error of an attempt to send a message."""

from __future__ import annotations


class SendError(Exception):
    """The receiver has not accepted the message, as far as known. The text contains no secret."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        is_permanent: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code  #: HTTP status; ``None`` without a response.
        self.is_permanent = is_permanent  #: A further attempt cannot succeed.
        self.retry_after_seconds = retry_after_seconds  #: Requested by the receiver.
