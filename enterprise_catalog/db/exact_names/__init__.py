"""Names in other packages' tables that are compared exactly, like content keys (docs/decisions/0003).

``columns.py``  The columns and their collation.
``apps.py``     Sets the collation after each migration.
"""
