"""The sync engine, in the order in which a run uses its modules.

One run:

``tasks.py``              Celery tasks: queue the due configurations, one task each; delete old attempts.
``sync.py``               One run from start to end: lease, plan, send, summary.
``run.py``                The state of a run in progress, and the renewal of its lease.
``leases.py``             At most one run per configuration: database leases with fencing tokens.
``stopping.py``           Clean shutdown after SIGTERM or SIGINT.
``reconnecting.py``       A new database connection after the old one broke.
``unchanged.py``          The checkpoint of the last complete run: skips a run that has nothing to do.
``catalog_client.py``     Client of the catalog service; the only module that contains its URLs and JSON.
``catalog_session.py``    The OAuth session of that client.
``catalog_problems.py``   Cause and remedy when the catalog service cannot be used.
``content_documents.py``  The catalog's content documents, parsed.
``exporter.py``           From history, catalog diff and metadata to the items to send.
``plans.py``              The inputs of a plan, and plans that are saved and carried out later.
``planning.py``           Pure: the items to create, update and delete, cut into chunks.
``sending.py``            Sends a plan chunk by chunk and records the results.
``ahead.py``              Prepares the next chunk while the LMS processes the current one.
``transmitter.py``        Sends one chunk; exactly one result per item.
``parts.py``              The calls for one part of a chunk: look up, create, update, delete, split.
``pacing.py``             Batch sizes that adapt to the speed of the LMS.
``timing.py``             Durations of calls, and the pause after a timeout.
``budgets.py``            Counts calls against the LMS's rate limit.
``audit.py``              Results to audit rows, in bulk.
``bulk.py``               Bulk inserts and upserts at driver speed.

The connection to the LMS:

``http.py``               HTTP client for all LMSs: timeouts, size limits, status codes to exceptions.
``addresses.py``          SSRF protection: refuses private addresses.
``deadlines.py``          Deadlines of whole calls.
``decoding.py``           Decompression with a size limit.
``redaction.py``          Redacts secrets from messages.

Configurations:

``configurations.py``     Builds channels from configurations, and validates configurations.
``entry_checks.py``       Checks of a new configuration against existing configurations and customers.
``credentials.py``        Encryption of credentials.
``connections.py``        Connections to an LMS outside of a run: check, authorize, list.
``consent.py``            The views of the OAuth authorization at an LMS.
``drift.py``              Differences between an LMS and the catalogs, and adoption of existing items.

Feeds, for LMSs that poll:

``feeds.py``              The feed and its token endpoint.
``feed_logins.py``        Logins of the LMSs that poll.
``feed_parsers.py``       Parsers of token requests.
``staging.py``            Feed entries: staged by a run, served to a poll, acknowledged by a later poll.
``urls.py``               URLs of the feeds and of the authorization.

Shared by all:

``models.py``             The tables; ``querysets.py`` has their reads, ``migrations/`` their history.
``types.py``              Frozen values that a run passes on. No Django.
``exceptions.py``         Errors, sorted by recovery: retry, reject the item, stop the run.
``apps.py``               The Django app: registers the heartbeat and the health checks.
``heartbeats.py``         Heartbeats of workers, and health checks.
``admin/``                The admin pages: transmissions, attempts, runs, configurations, schedules.
``management/``           The management commands.
``templates/``            Templates of the admin pages.
``channels/``             One folder per LMS; to add a channel, add a folder and one line in the registry.
"""
