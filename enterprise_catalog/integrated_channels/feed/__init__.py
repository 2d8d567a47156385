"""Feeds, for LMSs that poll.

``views.py``    The feed and its token endpoint.
``logins.py``   Logins of the LMSs that poll.
``parsers.py``  Parsers of token requests.
``entries.py``  Feed entries: staged by a run, served to a poll, acknowledged by a later poll.
"""
