"""The memory of one first sync: a process that does exactly one, after a small one that loads all code.

As ``memory.py`` has it for a diff: a program (``python -m tests.benchmarks.sync_memory``), on Linux only.
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
    """Return by how many bytes a first sync raises the peak of a fresh process over what it held before.

    Args:
        items: how many it sends.
        loaded_by: id of a small configuration, whose first sync comes before; it sends ``small_items``.
    """
    arguments = [str(number) for number in (loaded_by, small_items, configuration_id, items)]
    addresses = {"CATALOG_API_URL": settings.CATALOG_API_URL, "OAUTH2_PROVIDER_URL": settings.OAUTH2_PROVIDER_URL}
    command = [sys.executable, "-m", __name__, *arguments]
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | addresses, stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout)


def main() -> None:
    """Do the two syncs and print the bytes."""
    parser = argparse.ArgumentParser(description="measures the memory of a first sync")
    for name in ("loaded_by", "small_items", "configuration", "items"):
        parser.add_argument(name, type=int)
    arguments = parser.parse_args()
    set_up()
    _sync(arguments.loaded_by, arguments.small_items)
    print(peak_over_idle(lambda: _sync(arguments.configuration, arguments.items)))  # noqa: T201  (its output)


def _sync(configuration_id: int, items: int) -> None:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration  # noqa: PLC0415  (after the setup)
    from enterprise_catalog.integrated_channels.sync import sync  # noqa: PLC0415
    from tests.benchmarks.synced import checked  # noqa: PLC0415

    configuration = ChannelConfiguration.objects.get(pk=configuration_id)
    checked(sync(configuration, clock=timezone.now), {"create": items})


if __name__ == "__main__":
    main()
