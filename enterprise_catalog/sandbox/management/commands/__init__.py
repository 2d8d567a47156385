"""``run_sandbox``: serve a sandbox on loopback. ``demo``: sync a sample catalog into a sandbox."""
