"""``issue_token`` prints a token for trying the API by hand; ``ensure_local_admin`` makes a user for the admin."""
