"""The client of the catalog service; the only code that contains its URLs and JSON.

``client.py``     The requests: catalogs, diff, documents, look-ups.
``documents.py``  The catalog's content documents, parsed.
``lookups.py``    Customers, catalogs and content that users look up.
``problems.py``   Remedies by the status of its responses.
"""
