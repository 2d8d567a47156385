"""The Open edX sandbox: the parts of course-discovery and of the LMS that a catalog service calls.

``api.py``        The application: routing, tokens, control pages.
``documents.py``  The stored content, and its derivation from JSON Lines.
``fields.py``     The values of a document that filters compare with.
``filters.py``    Filters of ``search/all``: fields and lookups.
``results.py``    Search results.
``full.py``       Full documents of courses and programs, and reviews.
``members.py``    Default values of members.
``paging.py``     Pages with numbers, and pages with offsets.
``runs.py``       Course runs: visible, expired and restricted ones.
``knobs.py``      Settings that make the services misbehave.
``sample_pathways.jsonl``  A learner pathway with courses and a program of the sample catalog.
``sample_customers.json``  The customer that the LMS of a local site knows.
"""
