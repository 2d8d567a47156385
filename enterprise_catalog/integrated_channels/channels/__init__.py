"""WHERE A CHANNEL IS ADDED: one folder with ``channel.py`` and ``transform.py``, and one line in ``registry.py``.

``base.py``      what a channel is, and its kinds.
``registry.py``  which channels there are.
``courses.py``   content item -> course: what stands in the way, titles, addresses, owners, links, descriptions.
``text.py``      texts: HTML to plain, cutting, paths, moments, hashing. ``markup.py``: harmless HTML.
``fields.py``    fields of several channels' settings.
``answers.py``   answers, read as what they should be. ``paging.py``: lists of many pages.
``results.py``   what became of an item. ``buckets.py``: leaky buckets, by which some are throttled.
``oauth.py``     how tokens are asked for. ``tokens.py`` keeps and sends them, ``saml.py`` signs assertions.
``json_api.py``  JSON:API. ``php.py``: forms and texts as PHP reads them.
``moodle/`` …    one folder for each learning system.

docs/how-tos/add_a_channel.rst goes through it step by step.
"""
