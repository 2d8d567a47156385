"""Setting up a configuration: from the choice of channel and customer to the preview of the first sync.

``page.py``            The pages, as a mixin of the configurations' page.
``start.py``           The first page: choose the channel, and find the customer by name.
``form.py``            The form of a configuration: validates the input, and tests the connection before saving.
``channel_fields.py``  The form's fields for a channel, generated from its settings and credentials classes.
``customers.py``       The customer and its catalogs, from the catalog service.
``first_sync.py``      The preview of the next sync, and the activation.
"""
