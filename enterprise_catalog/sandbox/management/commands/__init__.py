"""Commands of the sandboxes.

``run_sandbox.py``  Serves a sandbox on loopback.
``demo.py``         Syncs a sample catalog into a sandbox.
"""
