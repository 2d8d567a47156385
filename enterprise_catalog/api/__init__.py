"""WHERE THE API IS: HTTP in front of ``catalog/``.

``v1/``                the end points.
``authentication.py``  who a caller is.
``errors.py``          what a caller is told when something is wrong.
``throttles.py``       limits of requests, and of requests that are refused.
``parsers.py``         request bodies: JSON, bounded.
``content_keys.py``    decodes content keys within a bound of memory.
``pagination.py``      cursors and pages.
``schema.py``          what the OpenAPI schema needs to know.
``renderers.py``       answers: JSON by orjson, and JSON that is ready already.
"""
