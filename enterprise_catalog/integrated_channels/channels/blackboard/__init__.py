"""Blackboard Learn, through its public REST API, on behalf of a user who authorized us.

``transform.py``  content items -> a course and its description page, pure.
``auth.py``       OAuth 2 consent and tokens; the refresh token changes with each use.
``client.py``     REST client: paginated lists and errors. Independent of courses.
``channel.py``    settings; looks up, creates, updates, hides, deletes and lists courses and their pages.

Sources: the API's published description (release 3900.65) and the vendor's developer documentation.
"""
