"""Commands of the catalog service.

``import_content.py``  Imports a file of content documents into a catalog.
"""
