"""The parts that the HTTP APIs of both programs share; knows neither program.

``authentication.py``  Authentication of callers.
``tokens.py``          Verification of access tokens, cached until they expire.
``roles.py``           The customers that a caller has a role for.
``throttles.py``       Limits for requests, and for rejected requests.
``input.py``           Request bodies and parameters: bounded and validated.
``cursors.py``         Cursors of keyset-paginated lists.
``errors.py``          Error responses.
``renderers.py``       Responses: JSON by orjson, and JSON that is already encoded.
``schema.py``          Additions to the OpenAPI schema.
``urls.py``            The URLs of the schema and of the interactive documentation.
``apps.py``            The Django app.
"""
