"""Pages of refreshes and of restricted content. ``catalog/admin.py`` imports the modules, which registers the pages.

``refreshes.py``    Refreshes, their changes, decisions, and the action that requests a refresh.
``restricted.py``   The restricted runs that queries allow, and the documents of their courses.
``filter_form.py``  The form of a query, which shows the effect of an edited filter.
"""
