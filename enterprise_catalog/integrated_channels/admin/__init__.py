"""The audit view: why a course is, or is not, in a customer's learning system; and the channels' configurations.

* ``transmissions.py``: what is known of each item at each learning system; ``explanation.py`` says it in words
* ``attempts.py``: each time that an item was sent
* ``runs.py``: each run of a sync
* ``configurations.py``: the customers' channels, and ``configuration_form.py``, which checks what people enter
* ``channel_filter.py``: the lists' filter by channel
* ``schedules.py``: the pages of django-celery-beat

Importing the modules registers the pages; Django imports this package for that.
"""

from enterprise_catalog.integrated_channels.admin import attempts, configurations, runs, schedules, transmissions

__all__ = ["attempts", "configurations", "runs", "schedules", "transmissions"]
