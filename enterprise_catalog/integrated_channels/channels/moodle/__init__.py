"""Moodle, through its REST web service.

``transform.py``  content items -> courses, pure.
``channel.py``    the web service's calls.

Facts marked "observed" were seen on a running Moodle 4.5.6.
"""
