"""What a channel says became of an item: the results that its calls return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.exceptions import RejectedError, RejectedForNowError, RetryableError
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.exceptions import SyncError
    from enterprise_catalog.integrated_channels.types import Outgoing


def done(item: Outgoing, remote_id: object = "") -> ItemResult:
    """Return that the LMS has the item as it should be.

    Args:
        remote_id: the LMS's own id, where this call told it; otherwise the item's own stands.
    """
    return ItemResult(item.content_key, Outcome.DONE, str(remote_id or item.remote_id))


def gone(item: Outgoing, status_code: int = 404, *, message: str = "") -> ItemResult:
    """Return that the LMS no longer has what was to be changed."""
    return ItemResult(item.content_key, Outcome.GONE, status_code=status_code, message=message)


def failed(
    item: Outgoing, error: SyncError, *, message: str = "", outcome: Outcome | None = None, remote_id: str = ""
) -> ItemResult:
    """Return that an error is the fault of this item alone.

    Args:
        message: takes the place of the error's own.
        outcome: by default, rejected for a refusal that is final, and for all else retry.
        remote_id: the LMS's own id, where it has the item all the same.
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
    """Return what to say where a create was refused, and a look finds the item: somebody was faster.

    The next run adopts it.

    Args:
        known_as: what the LMS calls our content keys.
    """
    message = f"A course with the {known_as} {item.content_key!r} was made after we had looked for it."
    return failed(item, error, message=message, outcome=Outcome.RETRY)
