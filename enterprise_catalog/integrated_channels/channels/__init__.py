"""WHERE A CHANNEL IS ADDED: one folder with ``channel.py`` and ``transform.py``, and one line in ``registry.py``.

``base.py``      what a channel is.
``registry.py``  which channels there are.
``text.py``      texts: HTML to plain, cutting, hashing.
``moodle/``      Moodle.

docs/how-tos/add_a_channel.rst goes through it step by step.
"""
