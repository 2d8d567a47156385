"""The HTTP API in front of ``catalog/``.

``v1/``                The endpoints.
``urls.py``            The URLs of the endpoints and of the OpenAPI schema.
``authentication.py``  Authentication of callers.
``tokens.py``          Verification of access tokens, cached until they expire.
``errors.py``          Error responses.
``throttles.py``       Limits for requests, and for rejected requests.
``parsers.py``         Request bodies: JSON, bounded.
``content_keys.py``    Decodes content keys within a memory limit.
``pagination.py``      Cursors and pages.
``renderers.py``       Responses: JSON by orjson, and JSON that is already encoded.
``schema.py``          Additions to the OpenAPI schema.
``apps.py``            The Django app.
"""
