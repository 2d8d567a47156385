"""``create_client``, and ``issue_token`` and ``ensure_local_admin`` for local sites."""
