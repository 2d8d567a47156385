"""Reads of single content items.

``pages.py``            A catalog's documents, by key and page by page.
``numbered_pages.py``   A catalog's documents in numbered pages, for existing Open edX callers.
``identified.py``       Single documents by an identifier, for existing Open edX callers.
``open_edx.py``         The members that existing Open edX callers read in addition.
``normalized.py``       The dates and the price of a course in one form for all course types.
``stored.py``           Stored documents of the items that a catalog offers.
``matching.py``         The items of catalogs that a caller's keys stand for.
``enrollment_urls.py``  The pages where a customer's learners enroll.
``lookup.py``           Content by the text that a user pastes: a key, a run's key, or the beginning of a title.
``membership_notes.py``  Why a catalog that is filled from course-discovery contains an item, or does not.
``filter_match.py``     The members of a content filter that exclude an item.
"""
