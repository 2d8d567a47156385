"""Moodle, through its REST web service.

``transform.py``  content items -> courses, pure.
``channel.py``    settings; looks up, creates, updates, hides and lists courses.
``courses.py``    course look-ups and lists.
``checks.py``     connection check: functions, account, category and capabilities.
``auth.py``       credentials and the login request.
``client.py``     web service client: tokens, calls, responses and error codes.

Facts marked "observed" were seen on a running Moodle 4.5.6.
"""
