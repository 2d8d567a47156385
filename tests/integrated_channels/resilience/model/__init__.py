"""A customer with catalogs, sync and LMS in one process. ``test_model.py`` generates its scenarios.

``in_process_http.py`` passes the requests of httpx and requests directly to WSGI applications.
``workers.py``         workers that can be interrupted or killed at a chosen statement or call.
``catalogs.py``        the catalogs, their changes, and their expected content over time.
``watched_moodle.py``  the LMS; records requests and manual changes.
``operators.py``       manual actions: in the LMS, to the configuration, and on held deletes.
``simulation.py``      combines all of these.
``checks.py``          invariants after each run.
``comparisons.py``     a plan from changes, compared with the plan from all items.
``predictions.py``     the diagnosis of an item before a run, compared with what the run does.
``convergence.py``     conditions at the end of each scenario.
``portal.py``          a portal that polls the feed of ``test_feed_model.py``, and other clients of the feed.
``batches.py``         runs scenarios that only the seed decides, until all expected events have occurred.
``occurrences.py``     counts of what happened.
"""
