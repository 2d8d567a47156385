"""Benchmark of growing data: ``python -m tests.benchmarks.growing_data``, or ``make benchmark-growing-data``.

Seeds millions of transmissions and attempts. Explains each statement of real runs and of the scheduler, and counts the
rows that it reads. Then removes old attempts next to real runs, and compares that with partitions.

``__main__.py``        the command line.
``seeding.py``         a long history of runs and attempts.
``explaining.py``      the plan of each statement, and the rows that it reads.
``run_statements.py``  the runs, the scheduler's work, and the limits of their statements.
``removing.py``        the removal of old attempts, next to runs.
``partitions.py``      the same table, partitioned by month.
"""
