"""Canvas, through its REST API.

``transform.py``  content items -> courses, pure.
``channel.py``    settings; looks up, creates, updates, concludes, deletes and lists courses.
``auth.py``       OAuth 2 consent and tokens.
``client.py``     API client: throttling, pagination, errors. Independent of courses.

Facts marked "source" come from Canvas's source code, https://github.com/instructure/canvas-lms.
"""
