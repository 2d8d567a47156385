"""Constructors for ``ItemResult``, the result that a channel returns for each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RejectedForNowError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import Outgoing
    from enterprise_catalog.integrated_channels.exceptions import SyncError


def done(item: Outgoing, remote_id: object = "") -> ItemResult:
    """Return a ``DONE`` result: the LMS now matches the catalog for this item.

    Args:
        remote_id: the LMS id from the response; defaults to the item's known id.
    """
    return ItemResult(item.content_key, Outcome.DONE, str(remote_id or item.remote_id))


def gone(item: Outgoing, status_code: int = 404, *, message: str = "") -> ItemResult:
    """Return a ``GONE`` result: the LMS no longer has the item."""
    return ItemResult(item.content_key, Outcome.GONE, status_code=status_code, message=message)


def failed(
    item: Outgoing, error: SyncError, *, message: str = "", outcome: Outcome | None = None, remote_id: str = ""
) -> ItemResult:
    """Return the result of an error that concerns only this item.

    Args:
        message: replaces the error's own message.
        outcome: defaults to ``REJECTED`` for a final rejection, and to ``RETRY`` for any other error.
        remote_id: the LMS id, if the LMS has the item despite the error.
    """
    is_final = isinstance(error, RejectedError) and not isinstance(error, RejectedForNowError)
    return ItemResult(
        item.content_key,
        outcome or (Outcome.REJECTED if is_final else Outcome.RETRY),
        remote_id,
        status_code=error.status_code,
        vendor_code=error.vendor_code,
        message=message or error.message,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, RetryableError) else None,
    )


def made_meanwhile(item: Outgoing, error: RejectedError, *, known_as: str) -> ItemResult:
    """Return a ``RETRY`` result for a create that was rejected because the item was created in the meantime.

    The next run adopts the existing item.

    Args:
        known_as: the LMS's name for the field that contains the content key.
    """
    message = (
        f"A course with the {known_as} {item.content_key!r} was created after the look-up. The next sync adopts it."
    )
    return failed(item, error, message=message, outcome=Outcome.RETRY)
