"""Names in other packages' tables that are compared exactly, like content keys (docs/decisions/0003).

``columns.py`` lists the columns and sets their collation; ``apps.py`` calls it after each migration.
"""
