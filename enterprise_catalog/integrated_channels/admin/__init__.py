"""The audit view: why a course is, or is not, in a customer's LMS; and the channels' configurations.

``overview.py``            The front page's overview: tiles, configurations that need attention.
``transmissions.py``       The state of each item in each LMS.
``diagnosis.py``           Why a course is, or is not, in each LMS of a customer.
``sections/``              Sections of the pages: payloads, timeline, counts, runs; and the page of a customer.
``attempts.py``            Each attempt to send an item.
``runs.py``                Each run of a sync.
``decisions.py``           The log of decisions.
``notifications.py``       Subscriptions, events that users are notified of, and the messages.
``operations.py``          The progress and results of long actions.
``configurations.py``      The customers' channels.
``configuration_actions.py``  Actions on configurations.
``transmission_actions.py``  Actions on items.
``setup/``                 Setting up a configuration: its form, the test, and the preview of the first sync.
``lists.py``               Search, filters and export of these tables.

Django imports this package, and importing the modules registers the pages.
"""

from enterprise_catalog.admin_pages import schedules
from enterprise_catalog.integrated_channels.admin import (
    attempts,
    configurations,
    decisions,
    diagnosis,
    notifications,
    operations,
    overview,
    runs,
    transmissions,
)
from enterprise_catalog.integrated_channels.admin.sections import customer

__all__ = [
    "attempts",
    "configurations",
    "customer",
    "decisions",
    "diagnosis",
    "notifications",
    "operations",
    "overview",
    "runs",
    "schedules",
    "transmissions",
]
