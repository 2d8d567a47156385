"""Imported by a worker: a lease is renewed before a call when it is a second old, not when it is a minute old.

A proof lets a lease expire while a worker stands still for some seconds, as if it were minutes. What a worker does when
it wakes up after minutes has to be in the same proportion.
"""

from datetime import timedelta

from enterprise_catalog.integrated_channels import leases
from tests.integrated_channels.proofs.crew import RENEWAL_SECONDS

leases.RENEWAL_INTERVAL = timedelta(seconds=RENEWAL_SECONDS)  # type: ignore[misc]  # final for all but this
