"""Requests to other services of the site, with an OAuth token: course-discovery, the LMS, the catalog service.

``client.py``          Requests of JSON with retries, limits and checks.
``exceptions.py``      Errors of these requests, sorted by what to do about them.
``session.py``         The OAuth session: tokens, bounded responses.
``problems.py``        Cause and remedy when a service or its token endpoint cannot be used.
``decoding.py``        Decompression within a size limit.
``http_dates.py``      Dates in headers, and ``Retry-After``.
``bounded_thread.py``  Work that cannot be interrupted, with a limit for how long its caller waits.
"""
