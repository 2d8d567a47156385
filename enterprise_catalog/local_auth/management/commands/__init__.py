"""``issue_token`` prints a token for trying the API by hand."""
