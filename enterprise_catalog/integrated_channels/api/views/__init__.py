"""The views of the channels' API.

``base.py``            Shared code: the permission, bodies, and the errors of configurations.
``configurations.py``  Configurations.
``records.py``         Runs, transmissions and attempts.
"""
