"""WHERE CATALOG DATA LIVES: customers, catalogs, and the content that is in them.

``models.py``      the tables.
``querysets.py``   the reads that are used more than once.
``diff.py``        the diff itself: pure values in, pure values out.
``documents.py``   content documents: what makes one acceptable, its hash, and how it is served.
``snapshots.py``   what a catalog holds at one moment: diff and documents, with the version they belong to.
``ingest.py``      the only writer of content and membership.
``customers.py``   the writer of customers and catalogs.
``admin.py``       the pages for staff.
"""
