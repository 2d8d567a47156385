"""Old code beside new code on one database, as during a rolling upgrade."""
