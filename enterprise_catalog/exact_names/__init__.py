"""Names in other packages' tables that are compared exactly, as content keys are (docs/decisions/0003).

``columns.py`` the columns, and their collation; ``apps.py`` sets it after each migration.
"""
