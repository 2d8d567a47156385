"""What the admins of both programs share; an application, since it brings templates and a style sheet.

* ``pages.py``: the base classes of all pages, whose cost does not grow with their tables
* ``paginator.py``: pages without counting millions of rows
* ``filters.py``: filters of lists
* ``search.py``: what is typed into a list's search field -> conditions that an index answers
* ``rendering.py``: values -> what a cell or a field shows
* ``widgets.py``: form fields and widgets
* ``frame.py``: what surrounds each page: the navigation and the style sheet
* ``admin.py``: the pages of Django's own users and groups
"""
