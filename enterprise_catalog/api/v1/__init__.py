"""Version 1 of the API.

``urls.py``         the URLs.
``views/``          one view per operation: parse, call one function of ``catalog/``, respond.
``serializers/``    the fields of requests and responses, with their limits.
``permissions.py``  access to customers' catalogs, by role.
"""
