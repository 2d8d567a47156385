"""The views of the channels' API.

``base.py``            Shared code: the permission, bodies, and the errors of configurations.
``configurations.py``  Configurations.
``actions.py``         What users do with a configuration and its items.
``operations.py``      Long actions on a configuration.
``records.py``         Runs, transmissions, attempts and decisions.
``diagnosis.py``       The diagnosis of an item.
``subscriptions.py``   Who is notified of events, and how.
``overview.py``        The status of all configurations.
"""
