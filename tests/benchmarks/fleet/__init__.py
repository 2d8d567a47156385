"""Benchmark of a fleet: ``make benchmark-fleet``, or ``python -m tests.benchmarks.fleet --help``.

MariaDB, Redis, the web service, the scheduler, the workers and the LMSs are processes of their own, as in production.

``__main__.py``     the command line.
``whole_run.py``    all measurements, in order.
``settings.py``     Django's settings for all processes.
``deployment.py``   the processes.
``usage.py``        requests, statements and CPU time of each kind of process.
``lms.py``          a sandbox Moodle for each customer.
``seeding.py``      thousands of customers, their catalogs, and their configurations.
``ticks.py``        ticks of the scheduler, and an idle fleet.
``spread.py``       changes, until every LMS is right.
``first_sync.py``   changes next to another customer's first sync.
``night.py``        the cost of the changes of a night.
``results.py``      the measured values.
``targets.py``      the target values.
``documentation.py``  tables and JSON.
"""
