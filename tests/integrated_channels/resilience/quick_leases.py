"""Imported by a worker: renews a lease before a call when the lease is 1 second old instead of 1 minute.

A test lets a lease expire while a worker is frozen for some seconds instead of minutes. The renewal interval has to be
shorter in the same proportion.
"""

from datetime import timedelta

from enterprise_catalog.integrated_channels.audit import leases
from tests.integrated_channels.resilience.celery_workers import RENEWAL_SECONDS

vars(leases)["RENEWAL_INTERVAL"] = timedelta(seconds=RENEWAL_SECONDS)
