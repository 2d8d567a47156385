"""Imports of content documents; the only writer of content and membership.

``import_file.py``  First half: reads and checks the lines, and stores the valid documents in a temporary file.
``writer.py``       Second half: writes documents and membership in transactions.
``restricted.py``   Restricted course runs, and the documents of their courses.
``bad_lines.py``    Finds the keys of documents that cannot be imported.
"""
