"""Read models for people: what happened, why, and what is next, in words. No HTML; admin, API and commands render them.

``payloads.py``  The payloads of an item: last accepted, last sent, and the one that would be sent now.
"""
