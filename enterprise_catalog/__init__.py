"""Which content is in which enterprise customer's catalog, and the channels that keep learning systems equal to it.

``catalog/`` and ``api/``
    the catalog service: owns the truth and answers the diff.
``integrated_channels/``
    the sync engine and its channels; reaches the catalog over HTTP only.
``sandbox/``
    stand-ins of the vendors' systems, for tests and the demo.
``local_auth/``
    the OAuth2 token end point of a site without an Open edX LMS (local and test settings only).
``settings/``
    one module per way of deploying; everything comes from the environment.
``sqlite/``
    Django's SQLite backend, with SQLite's real limits.
``redis_cache.py``
    Django's Redis cache, for a site that goes on without it.
``client_address.py``
    the address of a client behind trusted proxies, which throttles count by.
``command_line.py``
    Django's command line, for commands in a pipe.
``exact_names/``
    names of users, roles and clients, which are compared exactly on every database.
``login_limits.py``
    limits for failed logins, counted in the cache.
``content_keys.py`` and ``timestamps.py``
    the database fields that both programs share.
``one_state.py``
    reads that belong together, and rows that are worked on while the database still finds the next ones.
"""
