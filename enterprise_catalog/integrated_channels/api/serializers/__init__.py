"""The fields of requests and responses, with their limits. The OpenAPI schema is generated from them.

``configurations.py``  Configurations, and the parameters of their list.
``actions.py``         Actions and decisions.
``diagnosis.py``       The diagnosis of an item, and its parameters.
``overview.py``        The status of all configurations, and its parameters.
``operations.py``      Long actions and the items that they found.
``subscriptions.py``   Subscriptions to events, and the result of a test message.
``records.py``         Runs, transmissions and attempts, and the parameters of their lists.
``strict.py``          Base class of request bodies.
"""
