"""Settings, one module per way of deploying; ``DJANGO_SETTINGS_MODULE`` picks one.

``environment.py``  reads and checks the environment; the only place that does.
``key_set.py``      checks the keys that verify tokens.
``base.py``         what every deployment shares.
``local.py``        both programs on one machine with nothing but Python; used by ``make demo`` and ``make run``.
``catalog.py``      the catalog service alone.
``channels.py``     the integrated channels alone.
``production.py``   both programs in one deployment.
``test.py``         the test suite.
"""
