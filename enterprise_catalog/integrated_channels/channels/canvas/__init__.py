"""Canvas, through its REST API.

``transform.py``  content items -> courses, pure.
``channel.py``    settings; looks up, creates, updates, concludes, deletes and lists courses.
``client.py``     API client: consent, tokens, throttling, errors. Independent of courses.

Facts marked "source" come from Canvas's source code, https://github.com/instructure/canvas-lms.
"""
