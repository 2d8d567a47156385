"""Data that the Open edX LMS owns: the life cycle of catalogs, and data about customers.

``catalogs.py``   Creates, changes and deletes catalogs as the LMS requests.
``client.py``     Client of the LMS: reads customers.
``customers.py``  Copies of name, slug and learner portal of customers.
``tasks.py``      Celery tasks that read the LMS.
``queries.py``    The query behind a catalog: found by UUID or filter, or created.
"""
