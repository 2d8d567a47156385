"""Degreed, through its API v2.

``transform.py``  content items -> courses and their skills, pure.
``channel.py``    courses: found, created, updated, made obsolete or deleted; and then their skills.

It speaks JSON:API (``json_api.py``): https://developer.degreed.com/docs (authentication, pagination, rate limiting,
errors).

Facts marked "unverified" are in no documentation of Degreed's that we have seen; they are settings, or not relied on.
"""
