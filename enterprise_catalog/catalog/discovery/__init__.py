"""Content from course-discovery: searches by a query's content filter, and the full documents of what they find.

``filters.py``  Content filters: checks, hash and edits.
"""
