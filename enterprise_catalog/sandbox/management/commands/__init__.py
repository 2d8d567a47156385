"""``run_sandbox``: serve one of the sandboxes on loopback."""
