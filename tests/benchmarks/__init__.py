"""Benchmarks of the catalog and the syncs: ``make benchmark``, or ``python -m tests.benchmarks --help``.

Everything runs once, on a private MariaDB. Variants that are compared are measured alternately in one loop, because
load on the machine then affects all of them equally. No test asserts a time: a missed target is reported, and only a
wrong response fails the run.

``__main__.py``        the command line.
``whole_run.py``       all measurements, in order.
``environment.py``     database and settings; used before Django is set up.
``seeding.py``         catalogs of each size, loaded by our own import.
``cases.py``           request bodies, and the check of the responses.
``floor.py``           the raw floor: the same work with the bare database driver.
``in_process.py``      the whole stack, called as a WSGI server calls it.
``over_http.py``       the whole stack behind gunicorn.
``load.py``            many concurrent callers.
``diffs.py``, ``changes.py``, ``conditional.py``, ``lookups.py``, ``pages.py``, ``imports.py``, ``memory.py``
measurements of the catalog.
``syncs.py``, ``sync_memory.py``  measurements of syncs; ``synced.py`` runs them against the fake LMS in ``lms.py``.
``increments.py``      measurements of syncs after few changes.
``slow_lms.py``        measurements of first syncs to LMSs that take a set time for each item.
``open_edx.py``        times of Open edX's channels for the same work; ``open_edx_runs.py`` measures them, with the
program ``open_edx_site.py``.
``sampling.py``        alternating runs.
``growth.py``          time per item.
``results.py``         the measured values.
``targets.py``         the target values.
``sheets.py``          the results as text tables.
``report.py``          output for the terminal, and as JSON.
``documentation.py``, ``plot.py``  tables and a chart for the docs.
``options.py``         types of command line options.
``audit_view/``        a benchmark of its own: admin pages with millions of rows.
``fleet/``             a benchmark of its own: thousands of configurations, with all processes.
"""
