"""The client of the catalog service; the only code that contains its URLs and JSON.

``client.py``      The requests: catalogs, diff, changes, documents, look-ups.
``connection.py``  Its session: credentials, limits, failures, entity tags.
``changes.py``     The changes of a catalog since a version, merged from pages.
``documents.py``   The catalog's content documents, parsed.
``lookups.py``     Customers, catalogs and content that users look up.
``problems.py``    Remedies by the status of its responses.
"""
