"""The Blackboard Learn sandbox.

``api.py``      OAuth 2, REST API and daily quota.
``courses.py``  Courses, contents, deletions, and their validation.
"""
