"""Benchmark of the audit view: ``python -m tests.benchmarks.audit_view``, or ``make benchmark-audit-view``.

Seeds millions of transmissions, opens the overview, the diagnosis, the pages of rows, each list of the admin with each
search and filter, and the APIs' lists. Counts the statements and the rows that they read.
``tests/integrated_channels/admin/test_scale.py`` does it with few rows.

``__main__.py``       the command line.
``seeding.py``        inserts rows by a few statements.
``catalog_rows.py``   the rows of the catalog service.
``rolled_up.py``      statuses of configurations, and figures of days.
``mixture.py``        channels, states, titles and reasons of these rows.
``addresses.py``      the pages: the lists, discovered from the admin's registry, and all others.
``details.py``        the pages of rows, and the diagnosis.
``api_addresses.py``  the APIs.
``counters.py``       the rows that each statement reads.
``measuring.py``      opens the pages, and checks the limits.
``exports.py``        time and memory of an export.
``documentation.py``  a table for the docs.
"""
