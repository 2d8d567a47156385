"""Settings, one module per deployment type; ``DJANGO_SETTINGS_MODULE`` selects one.

``environment.py``  reads and checks the environment; no other module does.
``key_set.py``      checks the keys that verify tokens.
``base.py``         settings of every deployment.
``hardening.py``    additional settings for production.
``issuer.py``       settings of a site that issues its own tokens.
``local.py``        both programs on one machine, with only Python; used by ``make demo`` and ``make run``.
``local_state.py``  files with a local site's generated secrets and its port.
``catalog.py``      the catalog service alone.
``channels.py``     the integrated channels alone.
``production.py``   both programs in one deployment.
``test.py``         the test suite.
"""
