"""Imported by a worker: a call that is under way ends a second after a stop request, not half a minute after it."""

from enterprise_catalog.integrated_channels import stopping

stopping.GRACE_SECONDS = 1.0  # type: ignore[misc]  # final for all but this
