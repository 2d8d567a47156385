"""How ``test_no_secret_anywhere.py`` makes everybody talk, and listens.

``spelling.py``      how a secret may be spelt, and the search for it.
``repeating.py``     stands before a learning system, and answers with what it was sent.
``overhearing.py``   all that is logged, on all levels, and the error reports that are mailed.
"""
