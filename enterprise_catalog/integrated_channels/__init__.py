"""The integrated channels: keep the LMSs of customers in sync with their catalogs.

A run, from top to bottom:

``tasks/``        Celery tasks: queue the due configurations, one task each; long actions; delete old rows.
``reporting/``    What the rows mean, in words; searches and exports.
``sync/``         One run: plan, send, record.
``audit/``        The rows that a run and its operators write, and the lease that allows a run to write them.
``channels/``     One folder per LMS; to add a channel, add a folder and one line in the registry.
``lms/``          One HTTP client for all LMSs: deadlines, bounded responses, SSRF protection.
``catalog_api/``  The client of the catalog service; the only code that contains its URLs and JSON.

Around the runs:

``access/``      Configurations, credentials, and connections to an LMS outside of a run.
``feed/``        The feeds that some LMSs poll.
``api/``         The HTTP API: configurations, and the records of their runs.
``admin/``       The admin pages: transmissions, attempts, runs, configurations, schedules.
``management/``  The management commands.
``templates/``   Templates of the admin pages.
``urls.py``      URLs of the feeds and of the authorization at an LMS.

Shared by all:

``models/``       The tables.
``migrations/``    The history of the tables.
``domain.py``      Frozen values that a run passes on. No Django.
``exceptions.py``  Errors, sorted by recovery: retry, reject the item, stop the run.
``apps.py``        The Django app: registers the heartbeat and the health checks.
"""
