"""A catalog's items at one version, for the diff.

``snapshot.py``  Reads a snapshot in one index scan.
``cache.py``     The snapshots of this process: an LRU cache with a memory limit.
"""
