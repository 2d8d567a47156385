"""The Cornerstone sandbox.

``portal.py``  A client that polls our feed of courses.
"""
