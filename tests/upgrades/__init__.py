"""Old and new code on one database, as during a rolling upgrade."""
