"""The HTTP API of the integrated channels, below ``/api/v1/integrated-channels/``.

``urls.py``         The URLs.
``open_edx/``       The same configurations, in the shapes of Open edX's admin portal.
``views/``          One view per operation: parse, call one function, respond.
``serializers/``    The fields of requests and responses, with their limits.
``pages.py``        Keyset pagination.
``permissions.py``  Access to customers' configurations, by role.
``privacy.py``      Hides staff's names and texts from customers.
``throttles.py``    The rate limit of requests that call an LMS or a subscriber.
"""
