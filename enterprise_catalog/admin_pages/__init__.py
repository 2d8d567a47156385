"""Shared admin code of both programs; an application, because it has templates and a style sheet.

``pages.py``       The base classes of all pages; a page's cost does not grow with its table.
``admin_site.py``  The admin site; makes every registered page a subclass of the classes in ``pages.py``.
``actions/``       Actions that ask before they run.
``lists/``         Filters, search, pagination and time limits of lists.
``rendering.py``   Values -> HTML of a cell or a field.
``moments.py``     Times and durations -> HTML, with the exact time in a tooltip; also a filter for templates.
``widgets.py``     Form fields and widgets.
``frame.py``       Navigation, style sheet, scripts, icon and front page.
``viewer.py``      The current user, for links that need a permission.
``logins.py``      The throttle of failed logins.
``csrf.py``        The page for a form without a valid CSRF token.
``schedules.py``   The pages of django-celery-beat; both programs import it.
``admin.py``       The front page, and Django's own users and groups.
``apps.py``        The Django app; its templates take precedence over unfold's.
``templates/``     Templates of the confirmation, the front page, errors, and the landmarks of all pages.
``static/``        The style sheet, the scripts and the icon.
"""
