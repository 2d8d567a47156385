"""The HTTP API in front of ``catalog/``.

``v1/``                the endpoints.
``authentication.py``  authentication of callers.
``tokens.py``          verification of access tokens, cached until they expire.
``errors.py``          error responses.
``throttles.py``       limits for requests, and for rejected requests.
``parsers.py``         request bodies: JSON, bounded.
``content_keys.py``    decodes content keys within a memory limit.
``pagination.py``      cursors and pages.
``schema.py``          additions to the OpenAPI schema.
``renderers.py``       responses: JSON by orjson, and JSON that is already encoded.
"""
