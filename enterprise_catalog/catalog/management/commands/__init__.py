"""Commands of the catalog service.

``import_content.py``    Imports a file of content documents into a catalog.
``refresh_catalogs.py``  Fills catalogs from course-discovery, or lists what would change.
``decide_refresh.py``    Approves or rejects a held refresh.
"""
