"""Local stand-ins of the vendors' learning systems, one WSGI application per channel.

Tests mount them in-process (``httpx.WSGITransport``), the demo serves them on loopback (``manage.py run_sandbox``).
They are faithful to the vendor's protocol, its errors and limits included, keep everything in memory, and are never
part of production settings. Nothing here imports the rest of the project.

``registry.py``
    which channel code is played by which class.
``application.py``
    what all sandboxes share: the lock, the count of calls, the control pages under ``/_sandbox/``.
``faults.py``
    failures on demand: made-up answers, broken connections, delays, lists of the wrong length.
``serving.py``
    a server of a sandbox on loopback.
``degreed.py``
    Degreed: tokens, the rate window, JSON:API documents and cursors. Beside it ``degreed_courses.py`` (what a course
    may be, and the table) and ``degreed_errors.py`` (the error lists).
``moodle.py``
    Moodle: its pages, tokens and site states. Beside it ``moodle_site.py`` (the knobs), ``moodle_changes.py`` and
    ``moodle_lookups.py`` (the web service functions), ``moodle_parameters.py`` (what these accept),
    ``moodle_courses.py`` (the table), ``moodle_text.py`` (what Moodle does to text), ``moodle_errors.py`` and
    ``moodle_answers.py`` (what goes out).
``php_forms.py``
    how PHP reads a form, and what it drops without a word.
``demonstration.py``
    what ``manage.py demo`` shows.
``management/``
    the ``run_sandbox`` and ``demo`` commands.
"""
