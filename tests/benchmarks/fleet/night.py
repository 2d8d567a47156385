"""The cost of a night: typical customers, each with a typical number of changes. Rows and bytes are counted, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import connection

from tests.benchmarks.fleet.results import Night
from tests.benchmarks.fleet.spread import measure_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.benchmarks.fleet.deployment import Deployment
    from tests.benchmarks.fleet.lms import LMSs
    from tests.benchmarks.fleet.seeding import Group

_APP: Final = "integrated_channels"
#: Current sizes; information_schema.tables has estimates of some time ago.
_BYTES: Final = """
    SELECT SUM(stat_value) * @@innodb_page_size FROM mysql.innodb_index_stats
    WHERE database_name = DATABASE() AND stat_name = 'size' AND table_name LIKE 'integrated_channels_%%'
"""


def measure_night(deployment: Deployment, group: Group, lmss: LMSs, *, items: int, workers: int) -> Night:
    """Change items of all customers of a group, and count what that adds to the tables of the channels.

    Args:
        items: that change, of each customer.
    """
    rows, size = _rows(), _bytes()
    spread = measure_changes(deployment, group, lmss, customers=group.numbers, items=items, workers=workers)
    added = {table: number - rows[table] for table, number in _rows().items() if number > rows[table]}
    return Night(spread, added, (_bytes() - size) / 1e6)


def _rows() -> Mapping[str, int]:
    models = apps.get_app_config(_APP).get_models()
    return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in models}


def _bytes() -> int:
    with connection.cursor() as cursor:
        for model in apps.get_app_config(_APP).get_models():
            cursor.execute(f"ANALYZE TABLE {model._meta.db_table}")
            cursor.fetchall()
        cursor.execute(_BYTES, [])
        [number] = cursor.fetchone()
        return int(number)
