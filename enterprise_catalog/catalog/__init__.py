"""Catalog data: customers, catalogs, and their content.

``models.py``          the tables.
``querysets.py``       the reads that are used more than once.
``diff.py``            the diff itself: pure values in, pure values out.
``documents.py``       content documents: validation, hash, and the served form.
``state.py``           a catalog's version and other fields that every request reads.
``items.py``           a catalog's documents, by key and page by page.
``snapshots.py``       a catalog's items at one version, for the diff; cached by ``snapshot_cache.py``.
``import_file.py``     reads and checks the lines of an import; ``bad_lines.py`` finds the keys of bad ones.
``ingest.py``          the only writer of content and membership.
``customers.py``       the writer of customers and catalogs.
``admin.py``           the pages for staff.
"""
