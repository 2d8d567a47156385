"""Content from course-discovery: searches by a query's content filter, and the full documents of what they find.

``client.py``      The requests: search, full documents of courses and programs, reviews.
``filters.py``     Content filters: checks, hash and edits.
``refresh.py``     One refresh of a query, from the search to the transaction that applies it.
``collection.py``  First half of a refresh: collects what the filter finds, in a temporary file.
``preview.py``     The effect of a refresh, without one.
``documents.py``   The document to store, made of a search result and a full document.
``volatile.py``    The content of a document that counts as a change.
``guard_rail.py``  The changes that an operator must approve.
``restricted_runs.py``  Restricted runs that a filter allows, and the documents of their courses.
``nested.py``       Content that documents contain, and the queries that find it.
``reviews.py``     Reviews of courses, cached.
``records.py``     The rows of refreshes, and operators' decisions.
``leases.py``      At most one refresh per query at a time.
``models.py``      The tables of refreshes.
``admin/``         The pages of refreshes and of restricted content.
"""
