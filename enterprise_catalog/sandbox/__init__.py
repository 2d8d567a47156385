"""Sandboxes: local fakes of each vendor's learning management system (LMS), one WSGI application per channel.

Tests mount them in-process (``httpx.WSGITransport``); the demo serves them on loopback (``manage.py run_sandbox``).
They follow the vendor's protocol, including its errors and limits, and keep all data in memory. Production settings
never include them. Nothing here imports the rest of the project.

``registry.py``
    channel code -> sandbox.
``application.py``
    the base class: lock, call counts, control pages under ``/_sandbox/``.
``faults.py``
    fault injection: fake responses, broken connections, delays, lists of the wrong length.
``serving.py``
    an HTTP server for a sandbox on loopback.
``blackboard.py``
    Blackboard: OAuth 2, REST API and daily quota. ``blackboard_courses.py``: courses, contents and their validation.
``canvas.py``
    Canvas: REST API, permissions and throttling. ``canvas_site.py``: settings. ``canvas_login.py``: OAuth 2.
    ``canvas_courses.py``: courses, their states and their validation.
``cornerstone.py``
    Cornerstone: a client that polls our feed.
``degreed.py``
    Degreed: tokens, rate limit, JSON:API documents and cursors. ``degreed_courses.py``: courses and their validation.
    ``degreed_errors.py``: error responses.
``moodle.py``
    Moodle: pages, tokens and site states. ``moodle_site.py``: settings. ``moodle_changes.py`` and
    ``moodle_lookups.py``: web service functions. ``moodle_parameters.py``: their parameters. ``moodle_courses.py``:
    the course table. ``moodle_sorting.py``: row locks and the duration of creates. ``moodle_text.py``: text cleaning
    and collation. ``moodle_errors.py`` and ``moodle_answers.py``: errors and responses.
``php_forms.py``
    PHP's form parsing, including the fields that PHP drops silently.
``sap.py``
    SAP SuccessFactors: tokens and course import. ``sap_courses.py``: courses and their validation.
``demonstration.py``
    the demonstration that ``manage.py demo`` runs.
``management/``
    the ``run_sandbox`` and ``demo`` commands.
``apps.py``
    the Django app configuration.
"""
