"""Canvas, through its REST API.

``transform.py``  content items -> courses, pure.
``channel.py``    courses: found, created, updated, concluded or deleted.
``api.py``        tokens, consent, throttling, pages, refusals; nothing in it knows what a course is.

Facts marked "source" were read in Canvas's own program, https://github.com/instructure/canvas-lms.
"""
