"""The tables of ``docs/reference/channels/``, made of what channels do and declare.

``documents.py``  content documents, and other values for each of their fields.
``mapping.py``    changes one field after the other, and sees what changes in what is sent.
``pages.py``      the tables as reStructuredText.
"""
