"""Catalog data: customers, catalogs, and their content.

``models.py``             The tables.
``querysets.py``          The reads that are used more than once.
``diff.py``               The diff itself: pure values in, pure values out.
``snapshots/``            A catalog's items at one version, for the diff.
``versions/``             Versions of catalogs, and the changes since a version.
``items/``                Reads of single content items: documents, and lookup by key or title.
``documents.py``          Content documents: validation, hash, and the served form.
``ingest/``               The only writer of content and membership.
``discovery/``            Content filters of queries, and content from course-discovery.
``lms/``                  Data that the Open edX LMS owns: the life cycle of catalogs, and customers.
``customers.py``          The writer of customers and catalogs.
``tasks.py``              The Celery tasks.
``admin.py``              The pages for staff.
``apps.py``               The Django app.
``management/``           The commands ``import_content``, ``refresh_catalogs`` and ``decide_refresh``.
``migrations/``           The history of the tables.
``sample_catalog.jsonl``  Content documents for the demo and for tests.
"""
