"""Django's SQLite backend, with the limit of variables of today's SQLite instead of that of 2020.

``base.py``  the backend; see https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""
