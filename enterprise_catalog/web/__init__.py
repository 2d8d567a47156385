"""Requests and responses of both programs.

``rest/``                What the HTTP APIs share: authentication, roles, throttles, errors, the schema.
``client_address.py``    The client's address behind trusted proxies, for throttles and logs.
``login_limits.py``      Limits for password guessing, counted in the cache.
``content_security.py``  The Content-Security-Policy of responses.
``final_slash.py``        Addresses without their final slash.
``handler.py``           Django's WSGI handler, for requests with a ``Content-Type`` that Django cannot decode.
``freed_memory.py``      Reuse of freed memory between requests (docs/decisions/0022).
``redis_cache.py``       Django's Redis cache, with fallbacks for an unreachable Redis.
"""
