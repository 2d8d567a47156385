"""Resilience tests of the sync: real processes, real servers and real signals, with injected failures.

Each test has a reduced form, which ``make test`` or ``make test-slow`` runs, and a long form (``make soak`` or
``pytest --soak``). Each test draws its random values from one seed, printed at the end. ``--seed N`` repeats a run.

====================  ==================================================================================================
``test_kills``        workers are killed at random times, and the LMS with them
``test_faults``       the LMS returns every kind of error and malformed response
``test_outages``      the database and the broker fail and recover
``test_fleet_kills``  all processes of a fleet, with Redis and RabbitMQ, are killed at random times
``test_rabbitmq``     RabbitMQ delivers a sync a second time while it runs
``test_workers``      several workers, duplicate task deliveries, a worker that is frozen beyond its lease
``test_model``        random scenarios of catalogs, faults, crashes and clocks (hypothesis)
====================  ==================================================================================================

The tests of kills and faults run for each LMS in ``systems/``, the other tests for Moodle.
"""
