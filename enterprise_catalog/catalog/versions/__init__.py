"""Versions of catalogs, and the changes since a version.

``models.py``     The tables of versions and changes.
``state.py``      A catalog's version and other fields that every request reads.
"""
