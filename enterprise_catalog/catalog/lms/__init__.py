"""Data that the Open edX LMS owns: the life cycle of catalogs.

``catalogs.py``  Creates, changes and deletes catalogs as the LMS requests.
``queries.py``   The query behind a catalog: found by UUID or filter, or created.
"""
