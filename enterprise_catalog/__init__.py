"""Enterprise Catalog: a catalog service, and channels that keep learning management systems (LMSs) in sync with it.

The catalog service:

``catalog/``  The source of truth for catalog content; computes the diff.
``api/``      The HTTP API of the catalog service.

The integrated channels:

``integrated_channels/``  The sync engine and its channels; calls the catalog service over HTTP only.

Shared by both:

``admin_pages/``     Base classes of all admin pages.
``db/``              Database code: content keys, timestamps, consistent reads, retries, the SQLite backend.
``web/``             Requests and responses: the base of both APIs, login limits, security headers, the cache.
``service_client/``  Requests to other services: course-discovery, the LMS, the catalog service.
``observability/``   Health, metrics and error reports.
``settings/``        One module per deployment type; every value comes from the environment.
``urls.py``          The URLs of both programs.
``wsgi.py``          The entry point of web servers.
``celery.py``        The entry point of Celery workers and schedulers.
``command_line.py``  Django's command line, for commands in a pipe.

For local sites, tests and the demo:

``local_auth/``  The OAuth2 token endpoint of a site without an Open edX LMS.
``sandbox/``     Fake vendor systems.
"""
