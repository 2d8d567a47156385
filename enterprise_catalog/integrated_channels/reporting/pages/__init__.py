"""The data of the pages of items, configurations, runs and customers, and of the preview.

``payloads.py``               The payloads of an item: last accepted, last sent, and the one that would be sent now.
``comparison.py``             Compares versions of a payload field by field. Pure.
``timeline.py``               The attempts and decisions of an item, in words.
``configuration_summary.py``  The state of a configuration in words, the numbers of its items, its latest runs.
``counts.py``                 The numbers of items by state, and the reasons of failures.
``run_summary.py``            What a run did, why it stopped, and what is left, in words.
``preview.py``                The next sync of a configuration: numbers of items, and items that the LMS cannot hold.
``customers.py``              Customers: stored names, the customers of a key, and the report about one.
"""
