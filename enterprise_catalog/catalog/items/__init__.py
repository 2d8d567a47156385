"""Reads of single content items.

``pages.py``     A catalog's documents, by key and page by page.
``matching.py``  The items of catalogs that a caller's keys stand for.
``lookup.py``    Content by the text that a user pastes: a key, the key of a course run, or the beginning of a title.
"""
