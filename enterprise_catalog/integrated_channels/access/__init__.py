"""Configurations, credentials, and connections to an LMS outside of a run.

``configurations.py``  Builds channels from configurations, and validates configurations.
``edits.py``           Creates, changes and deactivates configurations.
``entry_checks.py``    Checks of a new configuration against existing configurations and customers.
``credentials.py``     Encryption of credentials.
``connections.py``     Connections to an LMS outside of a run: check the connection, authorize, list items.
``consent.py``         The views of the OAuth authorization at an LMS.
"""
