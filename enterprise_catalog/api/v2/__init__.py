"""Version 2 of the API: endpoints of version 1 that also offer the restricted runs that a catalog's query allows.

``urls.py``   the URLs.
``views.py``  the views of version 1, with restricted runs.
"""
