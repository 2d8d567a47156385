"""Tests of the Canvas channel: what it makes of content items, and how it gets on with a Canvas.

``cases.py``       awkward content items, by name.
``golden/``        for each of them what goes over the wire; ``UPDATE_GOLDEN=1`` writes the files anew, for review.
``connection.py``  the channel, connected in-process to a Canvas.
"""
