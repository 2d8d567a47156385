"""Helpers of ``test_no_secret_anywhere.py``: provoke output everywhere, and search it for secrets.

``encodings.py``     possible encodings of a secret, and the search for them.
``echoing_proxy.py`` a proxy in front of an LMS whose errors repeat the secrets of a request.
``log_capture.py``   captures all logs at all levels, and the error reports sent by mail.
"""
