"""Moodle, through its REST web service.

``transform.py``    content items -> courses, pure.
``channel.py``      courses: found, created, updated, hidden.
``web_service.py``  tokens, calls, answers and error codes.

Facts marked "observed" were seen on a running Moodle 4.5.6.
"""
