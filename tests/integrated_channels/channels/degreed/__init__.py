"""Tests of the Degreed channel: its payloads, and its calls to a Degreed sandbox.

``cases.py``       edge-case content items, by name.
``golden/``        the requests for each case; ``UPDATE_GOLDEN=1`` rewrites the files for review.
``connection.py``  the channel, connected in-process to a Degreed sandbox.
"""
