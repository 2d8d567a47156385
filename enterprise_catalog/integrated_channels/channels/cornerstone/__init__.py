"""Cornerstone OnDemand, a pull channel: its Online Content Connector polls our feed of courses.

``transform.py``  content items -> feed entries, pure.
``channel.py``    settings; valid keys, modification times and retirement of feed entries.
"""
