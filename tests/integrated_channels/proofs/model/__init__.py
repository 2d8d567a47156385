"""A whole customer in one process, for ``test_model.py``, which makes up what happens to it.

``wires.py``          what httpx and requests would send over sockets reaches WSGI applications at once.
``workers.py``        workers that are watched, interrupted and killed at a chosen statement or call.
``catalogs.py``       the catalogs, how they change, and the books of what they held when.
``watched_moodle.py`` the learning system, what it is asked for, and what somebody does in it by hand.
``people.py``         everybody who does something by hand: there, to the configuration, about held deletes.
``world.py``          all of these together.
``checks.py``         what must be true after each run.
``endings.py``        what must be true in the end.
``portal.py``         a portal that polls the feed of ``test_feed_model.py``, and others who ask for it.
``occurrences.py``    how often what happened.
"""
