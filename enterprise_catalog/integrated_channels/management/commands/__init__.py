"""Commands of the integrated channels, one module each.

``create_channel.py``      Creates a configuration.
``test_channel.py``        Checks the connection to an LMS.
``adopt.py``               Links items that an LMS already has.
``sync_channels.py``       Runs syncs now, or shows their plans.
``decide_deletes.py``      Approves held deletes, or keeps the items.
``queue_again.py``         Queues items for the next run.
``pause_channel.py``       Pauses or resumes the syncs of a configuration.
``show_transmissions.py``  Shows the state of items.
``explain.py``             Explains why an item is, or is not, in each LMS of a customer.
``check_drift.py``         Lists the differences between an LMS and the catalogs.
``rotate_credentials.py``  Encrypts all credentials with the newest key.
``_configuration.py``      Shared: options for a configuration, and for a decision's reason.
``_interruption.py``       Shared: Ctrl+C ends a command cleanly, with exit code 130.
"""
