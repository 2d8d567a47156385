"""Generates the tables in ``docs/reference/channels/`` from the channels' behavior and declarations.

``documents.py``  sample content documents, and an alternative value for each field.
``mapping.py``    changes one field at a time and records the differences in the payload.
``pages.py``      renders the tables as reStructuredText.
"""
