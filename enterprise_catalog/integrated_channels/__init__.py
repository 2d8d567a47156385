"""THE SYNC ENGINE, in the order in which a run goes through it.

``tasks.py``           Celery: which configurations are due; one task each.
``sync.py``            one run: lease, plan, send, summarise; ``run.py`` is what it carries along.
``unchanged.py``       what a complete run remembers, so that the next one sees whether there is anything to do.
``plans.py``           what a plan is made of; plans that are looked at before they are carried out.
``sending.py``         a plan's chunks, one after the other, through the five that follow.
``exporter.py``        history, diff over HTTP, metadata -> work to send.
``catalog_client.py``  the only file that knows the catalog's URLs and JSON.
``planning.py``        pure: what to create, update and delete, within the limits.
``transmitter.py``     call the channel chunk by chunk; one outcome per item.
``audit.py``           outcomes -> audit rows, in bulk.
``leases.py``          at most one run per configuration; ``budgets.py`` counts its calls.
``reconnecting.py``    what a run does when its connection to the database breaks.
``models.py``          the tables; ``querysets.py`` their reads; ``configurations.py`` makes channels of them.
``credentials.py``     what customers entrust to us, encrypted.
``types.py``           the frozen values that travel through a run.
``exceptions.py``      sorted by recovery: retry, reject this item, stop the run.
``feeds.py``           what LMSs that poll us read; ``staging.py`` its entries; ``feed_logins.py`` who may read it.
``http.py``            one client for all LMSs: time-outs, status -> exceptions.
``redaction.py``       messages without secrets, however they are spelt.
``admin.py``           WHERE THE AUDIT VIEW LIVES.
``channels/``          WHERE A CHANNEL IS ADDED: one folder, two files, one line in the registry.
"""
