"""The demonstration that ``manage.py demo`` runs.

``demonstration.py``  The steps, from an empty site to the check that the LMS holds exactly the catalog.
``source.py``         The Open edX side: content in course-discovery, and the LMS's requests.
``documents.py``      The content before and after the change.
``processes.py``      The site's processes and commands, in a folder of its own.
"""
