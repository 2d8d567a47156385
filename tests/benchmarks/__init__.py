"""How fast catalog and syncs are, measured: ``make benchmark``, or ``python -m tests.benchmarks --help``.

In one run on a MariaDB of its own; what is compared is measured by turns in the same loop, so that a busy machine is
busy for all. Nothing here is a timed test: a target that is missed is reported as missed, and only a wrong answer
fails.

``__main__.py``        the arguments.
``whole_run.py``       everything, in its order.
``environment.py``     database and settings; before Django is set up.
``seeding.py``         catalogs of each size, by our own import.
``cases.py``           what callers send, and what a right answer is.
``floor.py``           the same work with the bare driver, in the plainest way.
``in_process.py``      the whole stack, called as a WSGI server calls it.
``over_http.py``       the whole stack behind gunicorn.
``load.py``            many callers at once.
``diffs.py``, ``conditional.py``, ``pages.py``, ``imports.py``, ``memory.py``  what is measured.
``syncs.py``, ``sync_memory.py``  the same of syncs; ``synced.py`` runs them, to the learning system of ``lms.py``.
``open_edx.py``        what the channels of Open edX take for the same.
``sampling.py``        runs by turns.
``growth.py``          time per item.
``results.py``         what was measured.
``targets.py``         what it should be.
``sheets.py``          the results as tables of text.
``report.py``          for the terminal, and as JSON.
``documentation.py``, ``plot.py``  for the docs: tables, and a picture.
"""
