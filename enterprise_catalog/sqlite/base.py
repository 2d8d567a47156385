"""Django 5.2 takes 999 for SQLite's limit of variables in a statement; it is 32,766 since SQLite 3.32 (2020).

With 999, a bulk write of a chunk's rows falls into several statements.
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.features import DatabaseFeatures as BaseFeatures


class DatabaseFeatures(BaseFeatures):
    max_query_params = 32_766


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
