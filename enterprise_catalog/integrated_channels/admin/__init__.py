"""The audit view: why a course is, or is not, in a customer's LMS; and the channels' configurations.

* ``transmissions.py``: the state of each item in each LMS; ``explanation.py`` explains it in words
* ``attempts.py``: each attempt to send an item
* ``runs.py``: each run of a sync
* ``configurations.py``: the customers' channels; ``configuration_form.py`` validates what users enter
* ``channel_filter.py``: the filter by channel
* ``schedules.py``: the pages of django-celery-beat

Django imports this package, and importing the modules registers the pages.
"""

from enterprise_catalog.integrated_channels.admin import attempts, configurations, runs, schedules, transmissions

__all__ = ["attempts", "configurations", "runs", "schedules", "transmissions"]
