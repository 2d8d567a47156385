"""Cornerstone OnDemand, which comes to us: its Online Content Connector reads a feed of courses.

``transform.py``  content items -> entries of the feed, pure.
``channel.py``    what an entry looks like when it is served, retired, and which keys it may have.
"""
