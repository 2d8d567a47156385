"""The tables of the integrated channels. They have no foreign keys to the catalog: UUIDs and content keys instead.

``configurations.py``  A customer's connection to an LMS, and the right to sync it.
``changes.py``         The position in the list of changed customers.
``runs.py``            The result of each run.
``transmissions.py``   The state of each item in each LMS, and each attempt to send it.
``payloads.py``        The payloads last sent and last accepted, compressed.
``status.py``          The status of each configuration, and the figures of each day.
``feed.py``            The entries of the feeds that some LMSs poll, and the last response to a poll.
``decisions.py``       The decision log: each action of an operator or command.
``operations.py``      Long actions, their progress and results.
``notifications.py``   Events of configurations, subscriptions to them, and the messages to the subscribers.
``fields.py``          Columns that several tables have.
``querysets.py``       The reads of these tables that are used more than once.
``workers.py``         The heartbeats of Celery's workers.

::

    ChannelConfiguration 1--n ContentMetadataItemTransmission 1--n TransmissionAttempt
                                                                  1--1 FeedItem
                                                                  1--1 TransmissionPayload
                                                                  1--n DecisionItem
            1--n SyncRun 1--n TransmissionAttempt
            1--n Decision 1--n DecisionItem
            1--n Operation 1--n OperationItem
            1--1 SyncLease
            1--1 ConfigurationStatus
            1--1 FeedResponse
            1--n SlowSyncSlot
            1--n Notification 1--n DeliveryItem
            1--n Subscription 1--n Delivery 1--n DeliveryItem

Only ``audit/`` writes rows of attempts, payloads and decisions. Only ``audit/`` and ``feed/entries.py`` write rows of
transmissions.
"""

from enterprise_catalog.integrated_channels.models.changes import ChangeCursor
from enterprise_catalog.integrated_channels.models.configurations import (
    ChannelConfiguration,
    SlowSyncSlot,
    SyncLease,
    SyncQueue,
)
from enterprise_catalog.integrated_channels.models.decisions import Decision, DecisionAction, DecisionItem
from enterprise_catalog.integrated_channels.models.feed import FeedItem, FeedResponse
from enterprise_catalog.integrated_channels.models.notifications import (
    Delivery,
    DeliveryItem,
    DeliveryState,
    Digest,
    EventKind,
    Medium,
    Notification,
    Resolution,
    Subscription,
)
from enterprise_catalog.integrated_channels.models.operations import (
    Operation,
    OperationItem,
    OperationKind,
    OperationState,
)
from enterprise_catalog.integrated_channels.models.payloads import TransmissionPayload
from enterprise_catalog.integrated_channels.models.runs import Comparison, RunState, SyncRun
from enterprise_catalog.integrated_channels.models.status import ConfigurationStatus, DailyFigure, Status
from enterprise_catalog.integrated_channels.models.transmissions import (
    LABELS,
    MAX_MESSAGE_LENGTH,
    ContentMetadataItemTransmission,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.models.workers import WorkerHeartbeat

__all__ = [
    "LABELS",
    "MAX_MESSAGE_LENGTH",
    "ChangeCursor",
    "ChannelConfiguration",
    "Comparison",
    "ConfigurationStatus",
    "ContentMetadataItemTransmission",
    "DailyFigure",
    "Decision",
    "DecisionAction",
    "DecisionItem",
    "Delivery",
    "DeliveryItem",
    "DeliveryState",
    "Digest",
    "EventKind",
    "FeedItem",
    "FeedResponse",
    "Medium",
    "Notification",
    "Operation",
    "OperationItem",
    "OperationKind",
    "OperationState",
    "Resolution",
    "RunState",
    "SlowSyncSlot",
    "Status",
    "Subscription",
    "SyncLease",
    "SyncQueue",
    "SyncRun",
    "TransmissionAttempt",
    "TransmissionPayload",
    "WorkerHeartbeat",
]
