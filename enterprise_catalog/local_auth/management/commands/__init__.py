"""``create_client``, and for local sites ``issue_token`` and ``ensure_local_admin``."""
