"""Degreed, through its API v2.

``transform.py``  content items -> courses and their skills, pure.
``auth.py``       credentials and the token request.
``channel.py``    settings; looks up, creates, updates, retires and lists courses; sets their skills.

The API uses JSON:API (``json_api.py``): https://developer.degreed.com/docs (authentication, pagination, rate limiting,
errors).

Facts marked "unverified" are not in any Degreed documentation that we have seen. They are settings, or the code does
not depend on them.
"""
