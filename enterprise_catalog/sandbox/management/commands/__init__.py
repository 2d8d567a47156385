"""Commands of the sandboxes.

``run_sandbox.py``   Serves a sandbox on loopback.
``demo.py``          Syncs a sample catalog into a sandbox.
``plant_causes.py``  Plants three causes of wrong content on a local site.
"""
