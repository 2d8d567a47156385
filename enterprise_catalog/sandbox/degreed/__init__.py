"""The Degreed sandbox.

``api.py``      The token endpoint, the rate limit (429), and the courses of API v2 with their cursors.
``courses.py``  Courses and their validation.
``errors.py``   Error responses.
"""
