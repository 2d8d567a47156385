"""The memory of one first sync: a process that runs exactly one sync, after a small sync that loads all code.

A program (``python -m tests.benchmarks.sync_memory``) for the reason given in ``memory.py``; Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from django.conf import settings
from django.utils import timezone

from tests.benchmarks.environment import set_up
from tests.benchmarks.memory import peak_over_idle
from tests.processes import PROJECT


def peak_of_first_sync(configuration_id: int, *, items: int, loaded_by: int, small_items: int) -> int:
    """Return the bytes by which a first sync raises the peak memory of a new process above its memory when idle.

    Args:
        items: number of items that the sync sends.
        loaded_by: id of a small configuration; its first sync runs before and sends ``small_items``.
    """
    arguments = [str(number) for number in (loaded_by, small_items, configuration_id, items)]
    addresses = {"CATALOG_API_URL": settings.CATALOG_API_URL, "OAUTH2_PROVIDER_URL": settings.OAUTH2_PROVIDER_URL}
    command = [sys.executable, "-m", __name__, *arguments]
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | addresses, stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout)


def main() -> None:
    """Run the two syncs and print the bytes."""
    parser = argparse.ArgumentParser(description="measures the memory of a first sync")
    for name in ("loaded_by", "small_items", "configuration", "items"):
        parser.add_argument(name, type=int)
    arguments = parser.parse_args()
    set_up()
    _sync(arguments.loaded_by, arguments.small_items)
    print(peak_over_idle(lambda: _sync(arguments.configuration, arguments.items)))


def _sync(configuration_id: int, items: int) -> None:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.engine import sync
    from tests.benchmarks.synced import checked

    configuration = ChannelConfiguration.objects.get(pk=configuration_id)
    checked(sync(configuration, clock=timezone.now), {"create": items})


if __name__ == "__main__":
    main()
