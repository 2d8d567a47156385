"""Django's SQLite backend, with SQLite's current limit of variables instead of the limit before 2020.

``base.py``  the backend; see https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""
