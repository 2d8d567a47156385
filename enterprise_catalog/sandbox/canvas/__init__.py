"""The Canvas sandbox.

``api.py``       The REST API, permissions and throttling (429).
``login.py``     OAuth 2 with automatic consent.
``courses.py``   Courses, their states and their validation.
``settings.py``  Settings of the site: accounts, developer key, permissions, throttling (403 or 429).
"""
