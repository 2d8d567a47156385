"""The rows that a run and its operators write, and the lease that allows a run to write them.

Results of a run:

``runs.py``          Rows of runs: started, settled if their worker died, removed when they are old.
``plan_marks.py``    Marks of a plan on the rows: withdrawn, held, released, reverted, planned, moved, left over.
``attempts.py``      Attempts before a call, and their results after it, in bulk.
``transitions.py``   The state that follows from a result, and the pause before the next attempt.
``status.py``        The status of a configuration after a run or a decision.
``figures.py``       The figures of each day: outcomes, time from change to LMS, backlog.
``bulk.py``          Bulk inserts and upserts at driver speed.

Decisions, events and heartbeats:

``decisions.py``   Decisions of operators, and their log: queue items again, approve or keep held deletes, adopt.
``events.py``      Events that users are notified of: opened and resolved by runs, and by a periodic check.
``heartbeats.py``  Heartbeats of the workers and the scheduler, and their health checks.

Permission to write and to call:

``leases.py``         At most one run per configuration: database leases with fencing tokens, and fenced transactions.
``lease_renewer.py``  Renews a lease during a run, and checks before each call that it is allowed.
``rate_budget.py``    Counts calls against the LMS's rate limit.
``pacing.py``         Batch sizes that adapt to the speed of the LMS.
"""
