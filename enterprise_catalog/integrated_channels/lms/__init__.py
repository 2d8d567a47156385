"""The connection to an LMS, the same for all channels.

``client.py``     HTTP client for all LMSs: timeouts, size limits, status codes to exceptions.
``deadlines.py``  Deadlines of whole calls.
``ssrf.py``       SSRF protection: refuses base URLs that resolve to private addresses.
``stopping.py``   Clean shutdown after SIGTERM or SIGINT, between calls.
"""
