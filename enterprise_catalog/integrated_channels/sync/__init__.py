"""One run, in the order in which it uses these modules.

``engine.py``       One run of one configuration from start to end: lease, plan, send, summary.
``run.py``          The state of a run in progress.
``checkpoint.py``   The checkpoint of the last runs, and the comparison that the run needs: none, changes, or all items.
``plan_inputs.py``  The inputs of a plan, from all items of the catalogs or from changed and unsettled ones.
``saved_plan.py``   Plans that are saved and carried out later.
``plan.py``         Pure: the items to create, update and delete.
``chunks.py``       Pure: cuts a plan into chunks, in the order of sending.
``delivery.py``     Sends a plan chunk by chunk and records the results.
``prefetch.py``     Prefetches and translates the next chunk while the LMS processes the current one.
``export.py``       Fetches and translates a chunk; splits it into items to send and items that are already settled.
``transmitter.py``  Sends one chunk; exactly one result per item.
``parts.py``        The calls for one part of a chunk: look up, create, update, delete, split.
``timing.py``       Durations of calls, and the pause after a timeout.
``drift.py``        Differences between an LMS and the catalogs, and adoption of existing items.
"""
