"""Database code that both programs use.

``content_keys.py``        The column of a content key: 1 to 255 characters, compared exactly on every database.
``timestamps.py``          The column of a timestamp that is stored in the format that the API serves.
``time_arithmetic.py``      Times that a database computes from a column.
``consistent_reads.py``    Several queries that see the same state of the database; rows of plain SQL, also streamed.
``row_updates.py``         Updates by primary key: of several tables at once, and without locks of other rows.
``keyset.py``              Keyset pagination of any number of rows.
``batched_deletes.py``     Deletes any number of old rows in short transactions, within a time limit.
``text_index.py``          Indexes for case-insensitive searches by the beginning of a text.
``time_limit.py``          A time limit for the statements of a block.
``contention.py``          Retries of transactions that the database rolled back because of a concurrent transaction.
``brief_connection.py``    Connections with short timeouts, for health checks.
``broken_connections.py``  Reconnects after a connection broke in the middle of a run.
``exact_names/``           Exact comparison of the names of users, roles and clients on every database.
``sqlite/``                Django's SQLite backend, with SQLite's real limits.
"""
