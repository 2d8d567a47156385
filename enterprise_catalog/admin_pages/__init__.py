"""What the admins of both programs share; an application, since it brings templates and a style sheet.

* ``pages.py``: the base classes of all pages, whose cost does not grow with their tables
* ``site.py``: the admin site, which makes every registered page one of these
* ``actions.py``: how an action is declared; ``confirmed_actions.py`` asks before it runs, ``confirmation.py`` signs the
  rows that were confirmed, and ``deletion.py`` is the action that every list has
* ``logins.py``: the throttle of failed logins
* ``viewer.py``: the user of the page, for links that not everyone may follow
* ``paginator.py``: pages without counting millions of rows
* ``time_limit.py``: what ends a statement that takes too long all the same
* ``filters.py``: filters of lists
* ``search.py``: what is typed into a list's search field -> conditions that an index answers
* ``rendering.py``: values -> what a cell or a field shows
* ``widgets.py``: form fields and widgets
* ``frame.py``: what surrounds the pages: navigation, style sheet, icon and front page
* ``admin.py``: the front page, and Django's own users and groups
"""
