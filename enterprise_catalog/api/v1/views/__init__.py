"""One view per operation.

``base.py``              what all views of one catalog share.
``catalogs.py``          a catalog, and the list of catalogs.
``content_diff.py``      what is new, changed and gone.
``content_metadata.py``  the documents, by key and page by page.
``compatibility.py``     the shapes that existing Open edX callers know.
"""
