"""Shared admin code of both programs; an application, because it has templates and a style sheet.

* ``pages.py``: the base classes of all pages; a page's cost does not grow with its table
* ``site.py``: the admin site; makes every registered page a subclass of these
* ``actions.py``: declares an action; ``confirmed_actions.py`` asks before it runs, ``confirmation.py`` signs the
confirmed rows, and ``deletion.py`` is the action of every list
* ``logins.py``: the throttle of failed logins
* ``viewer.py``: the current user, for links that need a permission
* ``paginator.py``: pagination without counting millions of rows
* ``time_limit.py``: stops slow statements
* ``filters.py``: filters of lists
* ``search.py``: search terms -> conditions that an index can answer
* ``rendering.py``: values -> HTML of a cell or a field
* ``widgets.py``: form fields and widgets
* ``frame.py``: navigation, style sheet, icon and front page
* ``admin.py``: the front page, and Django's own users and groups
"""
