"""Versions of catalogs, and the changes since a version.

``clock.py``      The source of all versions.
``versioned.py``  Transactions whose changes get one version.
``log.py``        The writer of the log of changes.
``state.py``      A catalog's version and other fields that every request reads.
``reads.py``      The changes of a catalog's content, and the customers with changed catalogs, since a version.
``retention.py``  Removes old versions and changes.
``models.py``     The tables of versions and changes.
"""
