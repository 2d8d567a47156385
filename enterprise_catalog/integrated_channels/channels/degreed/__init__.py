"""Degreed, through its API v2.

``transform.py``  content items -> courses and their skills, pure.
``channel.py``    courses: found, created, updated, made obsolete or deleted; and then their skills.
``api.py``        tokens, JSON:API documents, cursors and error lists.

Facts marked "unverified" are in no documentation of Degreed's that we have seen; they are settings, or not relied on.
"""
