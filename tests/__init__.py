"""The test suite; its folders mirror the package.

``services.py``   MariaDB and Redis for the tests: the servers in the environment, or private ones.
``conftest.py``   fixtures for all tests.
``factories/``    valid rows and documents with boring values (factory-boy).
``processes.py``  the project's own processes (web, worker, scheduler, sandbox), started for real.
``warm_start.py`` starts these processes as forks of one that has imported the libraries.
``benchmarks/``   performance measurements (``make benchmark``).
"""
