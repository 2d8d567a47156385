"""Benchmark of the audit view: ``python -m tests.benchmarks.audit_view``, or ``make benchmark-audit-view``.

Seeds millions of transmissions, opens the overview and each list of the admin with each search and filter, and counts
the statements and the rows that they read. ``tests/integrated_channels/admin/test_scale.py`` does it with few rows.

``__main__.py``   the command line.
``seeding.py``    inserts rows by a few statements.
``mixture.py``    channels, states, titles and reasons of these rows.
``addresses.py``  the pages, discovered from the admin's registry.
``counters.py``   the rows that each statement reads.
``measuring.py``  opens the pages, and checks the limits.
"""
