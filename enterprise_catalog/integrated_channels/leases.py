"""At most one run per configuration, on however many workers: a lease in the database, with expiry and fencing token.

A worker that dies leaves its lease to expire; the next one raises the token. Each write of a run first renews the lease
by its token, in the same transaction: a worker that wakes up late finds that it can write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import F, Q

from enterprise_catalog.integrated_channels.exceptions import LeaseLostError
from enterprise_catalog.integrated_channels.models import SyncLease

if TYPE_CHECKING:
    from datetime import datetime

#: How old a lease may grow in the middle of a chunk before it is renewed; several times within its duration.
RENEWAL_INTERVAL: Final = timedelta(minutes=1)
#: How long a silent run keeps its lease. Clocks of workers may differ by a fraction of this.
LEASE_DURATION: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one configuration's sync until it expires."""

    configuration_id: int
    token: int


def acquire(configuration_id: int, *, now: datetime) -> Lease | None:
    """Return the lease, or ``None`` if another run holds it; a lease that has expired is taken over."""
    SyncLease.objects.get_or_create(configuration_id=configuration_id)
    free = Q(expires_at=None) | Q(expires_at__lte=now)
    taken = SyncLease.objects.filter(free, configuration=configuration_id).update(
        token=F("token") + 1, expires_at=now + LEASE_DURATION
    )
    if not taken:
        return None
    return Lease(configuration_id, SyncLease.objects.values_list("token", flat=True).get(pk=configuration_id))


def renew(lease: Lease, *, now: datetime) -> None:
    """Extend the lease; inside a transaction this also keeps others from taking it before the transaction ends.

    Raises:
        LeaseLostError: another worker has it.
    """
    held = SyncLease.objects.filter(configuration=lease.configuration_id, token=lease.token)
    if not held.update(expires_at=now + LEASE_DURATION):
        raise LeaseLostError(f"the lease of configuration {lease.configuration_id} was taken over")


def release(lease: Lease) -> None:
    """Give the lease back, if it is still ours."""
    SyncLease.objects.filter(configuration=lease.configuration_id, token=lease.token).update(expires_at=None)
