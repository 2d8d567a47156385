"""First syncs to LMSs that take a set time for each item, next to the LMS's own time.

Most of our own work goes on while the LMS works. A Moodle receives the items in batches, one call after another. A
Canvas receives one item per call, and two calls at the same time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from django.test import override_settings
from django.utils import timezone

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync.engine import sync
from tests.benchmarks.lms import CANVAS, MOODLE, served_lms
from tests.benchmarks.results import Figure, SyncTiming, WrongAnswerError
from tests.benchmarks.seeding import seed_alone
from tests.benchmarks.synced import CHUNK_SIZE, checked, configured, statements_so_far

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.benchmarks.lms import LMS
    from tests.benchmarks.results import Results
    from tests.benchmarks.seeding import SeededCatalog

SECONDS_PER_ITEM: Final = 0.02
#: Kind of sync -> channel.
KINDS: Final[Mapping[str, str]] = {"first, slow Moodle": MOODLE, "first, slow Canvas": CANVAS}
SUM_OF_CALLS: Final = "sum of the LMS's times for all calls"
#: Items in the catalog whose sync loads all code before.
_FEW_ITEMS: Final = 10


def measure_slow_lms(items: int, port: int, results: Results) -> None:
    """Add one first sync of ``items`` to each kind of LMS.

    Args:
        port: of a catalog service.
    """
    url = f"http://127.0.0.1:{port}"
    small, large = seed_alone(_FEW_ITEMS), seed_alone(items)
    with override_settings(CATALOG_API_URL=url, OAUTH2_PROVIDER_URL=f"{url}/oauth2"):
        for how, channel_code in KINDS.items():
            with served_lms(channel_code, seconds_per_item=SECONDS_PER_ITEM) as lms:
                _sync(small, lms)
                lms.reset()
                seconds, statements = _sync(large, lms)
                lms_time = lms.take_time()
                if lms.offered().keys() != set(large.keys):
                    raise WrongAnswerError(f"after a sync ({how}) the LMS does not offer the content of the catalog")
            results.figures.append(Figure(how, SUM_OF_CALLS, items, lms_time.calls, "s"))
            results.syncs.append(
                SyncTiming(
                    how=how,
                    items=items,
                    sent=items,
                    chunks=-(-items // CHUNK_SIZE),
                    statements=statements,
                    seconds=[seconds],
                    lms_seconds=[lms_time.busy],
                )
            )


def _sync(catalog: SeededCatalog, lms: LMS) -> tuple[float, int]:
    """Sync a new configuration; return the seconds and the number of statements."""
    configuration = ChannelConfiguration.objects.get(pk=configured(catalog, lms))
    lms.take_time()
    before, started = statements_so_far(), time.perf_counter()
    ended = sync(configuration, clock=timezone.now)
    seconds = time.perf_counter() - started
    statements = statements_so_far() - before - 1  # Without the statement that counts.
    checked(ended, {"create": catalog.items})
    return seconds, statements
