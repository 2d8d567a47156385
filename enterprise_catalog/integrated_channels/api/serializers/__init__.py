"""The fields of requests and responses, with their limits. The OpenAPI schema is generated from them.

``configurations.py``  Configurations, and the parameters of their list.
``records.py``         Runs, transmissions and attempts, and the parameters of their lists.
``strict.py``          Base class of request bodies.
"""
