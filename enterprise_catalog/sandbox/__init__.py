"""Sandboxes: local fakes of each vendor's learning management system (LMS), one WSGI application per channel.

A further sandbox stands for the Open edX services that the catalog service calls.

Tests mount them in-process (``httpx.WSGITransport``); the demo serves them on loopback (``manage.py run_sandbox``).
They follow the vendor's protocol, including its errors and limits, and keep all data in memory. Production settings
never include them. Nothing here imports the rest of the project.

``blackboard/``        Blackboard Learn.
``canvas/``            Canvas.
``cornerstone/``       Cornerstone.
``degreed/``           Degreed.
``moodle/``            Moodle.
``sap/``               SAP SuccessFactors Learning.
``open_edx/``          Course-discovery and the Open edX LMS.
``registry.py``        Channel code -> sandbox.
``application.py``     The base classes: lock, call counts, control pages under ``/_sandbox/``.
``json_objects.py``    The types of JSON objects.
``faults.py``          Fault injection: fake responses, broken connections, delays, lists of the wrong length.
``serving.py``         An HTTP server for a sandbox on loopback.
``demonstration/``     The demonstration that ``manage.py demo`` runs.
``planted_causes.py``  Customers with a cause to be found in the admin, which ``manage.py plant_causes`` plants.
``management/``        The ``run_sandbox``, ``demo`` and ``plant_causes`` commands.
``apps.py``            The Django app.
"""
