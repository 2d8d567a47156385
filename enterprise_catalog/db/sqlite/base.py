"""SQLite allows 32,766 variables per statement since SQLite 3.32 (2020); Django 5.2 assumes 999.

With 999, Django splits a bulk write of a chunk's rows into several statements.
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.features import DatabaseFeatures as BaseFeatures


class DatabaseFeatures(BaseFeatures):
    max_query_params = 32_766


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
