"""Enterprise Catalog: a catalog service, and channels that keep learning management systems (LMSs) in sync with it.

``catalog/`` and ``api/``
    the catalog service: the source of truth for catalog content; computes the diff.
``integrated_channels/``
    the sync engine and its channels; calls the catalog service over HTTP only.
``sandbox/``
    fake vendor systems, for tests and the demo.
``local_auth/``
    the OAuth2 token endpoint of a site without an Open edX LMS (local and test settings only).
``settings/``
    one module per deployment type; every value comes from the environment.
``sqlite/``
    Django's SQLite backend, with SQLite's real limits.
``redis_cache.py``
    Django's Redis cache, with fallbacks for an unreachable Redis.
``client_address.py``
    the address of a client behind trusted proxies; throttles count by it.
``command_line.py``
    Django's command line, for commands in a pipe.
``exact_names/``
    exact comparison of the names of users, roles and clients on every database.
``login_limits.py``
    limits for failed logins, counted in the cache.
``content_keys.py`` and ``timestamps.py``
    the database fields that the catalog service and the sync engine share.
``one_state.py``
    consistent multi-query reads, and streaming cursors.
"""
