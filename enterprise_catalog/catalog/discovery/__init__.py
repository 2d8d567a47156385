"""Content from course-discovery: searches by a query's content filter, and the full documents of what they find.

``client.py``   The requests: search, full documents of courses and programs, reviews.
``filters.py``  Content filters: checks, hash and edits.
"""
