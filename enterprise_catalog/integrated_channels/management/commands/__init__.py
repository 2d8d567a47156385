"""Commands: one module per command; modules with a leading underscore are shared.

``create_channel``      Creates a configuration.
``test_channel``        Checks the connection to an LMS.
``adopt``               Links items that an LMS already has.
``sync_channels``       Runs syncs now, or shows their plans.
``decide_deletes``      Approves held deletes, or keeps the items.
``queue_again``         Queues items for the next run.
``show_transmissions``  Shows the state of items, and why an item is not in an LMS.
``check_drift``         Lists the differences between an LMS and the catalogs.
``rotate_credentials``  Encrypts all credentials with the newest key.
"""
