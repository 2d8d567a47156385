"""Factories (factory-boy): valid rows and documents with boring values; a test gives only the values that matter to it.

The factories use the project's own writers, so hashes, times of change and versions are real.

``catalog.py``   customers, catalogs and content documents.
``channels.py``  configurations, rows that only a run writes (transmissions, attempts, runs), events, subscriptions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

#: The default time of every change.
DAY_ONE: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY_TWO: Final = DAY_ONE + timedelta(days=1)
