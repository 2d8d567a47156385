"""Blackboard Learn, through its public REST API, in the name of a person who let us in.

``transform.py``  content items -> a course and the page that tells of it, pure.
``access.py``     OAuth 2: consent, tokens, and the refresh token that changes with each use.
``api.py``        the REST API's lists, and how it says no.
``channel.py``    courses and their pages: found, created, updated, taken away.

The sources are the API's published description (release 3900.65) and the vendor's developer documentation.
"""
