"""What a sync promises, proven by breaking things: real processes, real servers, real signals.

Each proof has a reduced form, which ``make test`` runs, and a long one (``make soak``, or ``pytest --soak``). What is
random comes from one seed per test, which is printed at the end; ``--seed N`` repeats a run.

==================  ==================================================================================================
``test_kills``      workers die at random instants, and the learning system with them
``test_faults``     the learning system answers in every wrong way
``test_outages``    the database and the broker go away and come back
``test_workers``    several workers, tasks delivered twice, a worker that is frozen beyond its lease
``test_model``      any history of catalogs, faults, crashes and clocks (hypothesis)
==================  ==================================================================================================

Those of kills and faults run for each of the learning systems in ``systems/``, the others for Moodle.
"""
