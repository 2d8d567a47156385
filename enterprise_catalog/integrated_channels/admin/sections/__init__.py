"""Sections of the audit pages, rendered from the read models in ``reporting/``.

``item.py``           The payloads and the timeline of an item.
``configuration.py``  The state, counts, reasons and latest runs of a configuration.
``run.py``            What a run did, and why it stopped.
``customer.py``       The page of a customer.
``charts.py``         The geometry of the overview's charts.
``links.py``          Links to customers and catalogs.
"""
