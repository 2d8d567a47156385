"""The test suite; its folders mirror the package.

``services.py``   MariaDB and Redis for the tests: given ones, else private servers.
``conftest.py``   fixtures for all.
``factories.py``  valid rows with boring values.
``processes.py``  the project's own processes (web, worker, scheduler, sandbox), started for real.
``benchmarks/``   how fast it is (``make benchmark``).
"""
