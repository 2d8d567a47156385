"""Version 1 of the API.

``urls.py``         the addresses.
``views/``          one view per operation: parse, call one function of ``catalog/``, answer.
``serializers.py``  what requests and answers look like, with their limits.
``permissions.py``  who may read which customer's catalogs.
"""
