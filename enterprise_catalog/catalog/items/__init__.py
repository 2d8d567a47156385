"""Reads of single content items.

``pages.py``            A catalog's documents, by key and page by page.
``matching.py``         The items of catalogs that a caller's keys stand for.
``enrollment_urls.py``  The pages where a customer's learners enroll.
``lookup.py``           Content by the text that a user pastes: a key, a run's key, or the beginning of a title.
"""
