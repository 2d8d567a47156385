"""The fields of requests and responses, with their limits. The OpenAPI schema is generated from them.

``fields.py``            fields that several modules use.

The others have the names of the modules in ``views/`` that use them:

``catalogs.py``          catalogs, as they are returned and as the Open edX LMS writes them.
``queries.py``           the queries behind catalogs, and content filters.
``content_diff.py``      the diff of a catalog.
``changes.py``           changes since a version.
``content_metadata.py``  the documents of a catalog.
``documents.py``         documents by identifier.
``search.py``            content by pasted text, and customers by name.
``containment.py``       keys that a catalog or a customer has.
``compatibility.py``     the formats that existing Open edX callers use.
"""
