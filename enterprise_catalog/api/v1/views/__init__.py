"""One view per operation.

``base.py``              shared code of the views of one catalog.
``catalogs.py``          a catalog, the list of catalogs, and their life cycle.
``queries.py``           the queries behind catalogs, and the hash of a filter.
``content_diff.py``      the diff: existing, new and removed content.
``changes.py``           what changed since a version.
``content_metadata.py``  the documents, by key and page by page.
``documents.py``         documents by identifier.
``search.py``            content by pasted text, and customers by name.
``containment.py``       which keys a catalog or a customer has.
``compatibility.py``     the formats that existing Open edX callers use.
``unavailable.py``       bad UUIDs of customers, and features of Open edX's service that are not offered.
"""
