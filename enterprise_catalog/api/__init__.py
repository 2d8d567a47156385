"""The HTTP API in front of ``catalog/``. The parts that it shares with the channels' API are in ``web/rest/``.

``v1/``              The endpoints.
``v2/``              Endpoints of version 1 that also offer restricted runs.
``urls.py``          The URLs of the endpoints.
``parsers.py``       Request bodies: JSON with content keys, bounded.
``content_keys.py``  Decodes content keys within a memory limit.
``pagination.py``    Numbered pages of catalogs.
``apps.py``          The Django app.
"""
