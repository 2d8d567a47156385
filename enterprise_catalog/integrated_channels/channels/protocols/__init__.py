"""Protocols that several LMSs, or one of them, speak.

``oauth.py``            OAuth 2.0 token requests and user consent.
``tokens.py``           Access tokens: cached for a run, sent with each call, renewed after a 401.
``saml.py``             Signed SAML assertions.
``json_api.py``         JSON:API client.
``paging.py``           Paginated lists.
``leaky_bucket.py``     Leaky-bucket rate limits.
``php_forms.py``        Form encoding and plain text for an LMS written in PHP.
``database_errors.py``  Classification of database errors that an LMS passes on.
"""
