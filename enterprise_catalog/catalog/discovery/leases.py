"""Leases: at most one refresh per query on any number of workers, with expiry and fencing token.

When a worker dies, its lease expires, and the next worker increments the token. The transaction that applies a refresh
first renews the lease by its token. So a worker that continues after its lease expired can write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import F, Q

from enterprise_catalog.catalog.models import RefreshLease

if TYPE_CHECKING:
    from datetime import datetime

#: Duration of a lease without renewal: longer than a request to course-discovery and the wait before its repetition.
#: The clocks of workers must agree to well within it.
LEASE_DURATION: Final = timedelta(minutes=5)


class LeaseLostError(Exception):
    """Another worker has taken the lease; this one must write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh one query until it expires."""

    query_id: int
    token: int

    def renew(self, *, now: datetime) -> None:
        """Extend the lease. In a transaction, this also prevents others from taking it before the transaction ends.

        Raises:
            LeaseLostError: another worker has the lease.
        """
        self._update(expires_at=now + LEASE_DURATION)

    def release(self) -> None:
        """Let others take the lease.

        Raises:
            LeaseLostError: another worker has the lease.
        """
        self._update(expires_at=None)

    def _update(self, *, expires_at: datetime | None) -> None:
        held = RefreshLease.objects.filter(catalog_query=self.query_id, token=self.token)
        if not held.update(expires_at=expires_at):
            raise LeaseLostError(f"the lease of query {self.query_id} was taken over")


def acquire(query_id: int, *, now: datetime) -> Lease | None:
    """Return the lease, or ``None`` if another refresh holds it. An expired lease is taken over."""
    RefreshLease.objects.get_or_create(catalog_query_id=query_id)
    token = RefreshLease.objects.values_list("token", flat=True).get(catalog_query=query_id)
    free = RefreshLease.objects.filter(Q(expires_at=None) | Q(expires_at__lte=now), catalog_query=query_id, token=token)
    taken = free.update(token=F("token") + 1, expires_at=now + LEASE_DURATION)
    return Lease(query_id, token + 1) if taken else None


def is_held(query_id: int, *, now: datetime) -> bool:
    """Return True if a refresh of the query holds the lease."""
    return RefreshLease.objects.filter(catalog_query=query_id, expires_at__gt=now).exists()
