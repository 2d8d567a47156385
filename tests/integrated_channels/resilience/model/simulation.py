"""One customer with its catalogs, LMS and operators, and the workers that sync it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from django.core.cache import cache
from django.db import transaction

from enterprise_catalog.catalog import models as catalog_models
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.integrated_channels import models as channel_models
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.sandbox.faults import Fault
from tests.integrated_channels.resilience.model import checks
from tests.integrated_channels.resilience.model.catalogs import TOO_LONG, Catalogs, TickingClock, fullname
from tests.integrated_channels.resilience.model.comparisons import check_plans
from tests.integrated_channels.resilience.model.occurrences import note
from tests.integrated_channels.resilience.model.operators import Operators
from tests.integrated_channels.resilience.model.predictions import Prediction
from tests.integrated_channels.resilience.model.watched_moodle import WatchedMoodle
from tests.integrated_channels.resilience.model.workers import Worker, Workers

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import SyncRun
    from tests.integrated_channels.resilience.model.in_process_http import InProcessHTTP

#: Rows with foreign keys first.
_TABLES: Final = (
    channel_models.FeedItem,
    channel_models.FeedResponse,
    channel_models.DecisionItem,
    channel_models.Decision,
    channel_models.TransmissionPayload,
    channel_models.TransmissionAttempt,
    channel_models.ContentMetadataItemTransmission,
    channel_models.SyncRun,
    channel_models.SyncLease,
    channel_models.ConfigurationStatus,
    channel_models.Notification,
    channel_models.ChannelConfiguration,
    catalog_models.CatalogMembership,
    catalog_models.NestedContent,
    catalog_models.ContentChange,
    catalog_models.CatalogVersion,
    catalog_models.VersionClock,  # Versions are times. The clock of this scenario starts before the last one's ended.
    catalog_models.ContentDocument,
    catalog_models.ContentMetadata,
    catalog_models.EnterpriseCatalog,
    catalog_models.CatalogQuery,
    catalog_models.EnterpriseCustomer,
)


class Incident(NamedTuple):
    """An event: ``who`` is ``catalogs`` or ``operators``, ``what`` is the method, ``number`` is its argument."""

    who: str
    what: str
    number: int


@dataclass
class Simulation:
    """The complete state of a scenario. Only one exists at a time: a new simulation deletes all earlier data."""

    workers: Workers
    http: InProcessHTTP
    clock: TickingClock = field(default_factory=TickingClock)
    seen_rows: set[int] = field(default_factory=set)  #: Primary keys of all transmission rows so far.

    def __post_init__(self) -> None:
        delete_everything()
        self.moodle = WatchedMoodle(
            asked=checks.check_request,
            clock=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  (``now`` changes)
            fullname_limit=len(fullname(TOO_LONG)),
        )
        self.moodle.faults.sleep = lambda seconds: self.clock.forward(seconds=seconds)
        self.http.lms = self.moodle
        self.catalogs = Catalogs(self.clock)
        self.operators = Operators(self.catalogs, self.moodle)

    def happen(self, incident: Incident | Fault) -> None:
        """Carry out an incident now, or queue a fault for the next matching call."""
        if isinstance(incident, Fault):
            self.moodle.faults.add(incident)
            return
        who = {"catalogs": self.catalogs, "operators": self.operators}[incident.who]
        getattr(who, incident.what)(incident.number)
        note(f"{incident.who}: {incident.what}")

    def sync(self, worker: Worker | None = None) -> SyncRun | None:
        """Sync the configuration and check the run. Return ``None`` if there was no run or the worker died."""
        configuration = self.operators.configuration
        if not configuration.active:
            note("switched off")
            self.operators.switch_on()
            return None
        worker = worker or Worker()
        before = checks.Before.read(self, configuration)
        check_plans(configuration, now=self.clock.now)
        prediction = Prediction.make(self, configuration, turn=before.newest_run)
        run = self.workers.run(worker, lambda: sync(configuration, clock=self.clock))
        if run is None and not worker.is_dead:
            note("busy")
            return None
        self.moodle.end_run()
        checks.check_run(self, before, run)
        if prediction is not None and run is not None and not run.stop_cause and not worker.was_interrupted:
            prediction.check(run)
        return run


def delete_everything() -> None:
    """Delete all rows, and clear the caches."""
    cache.clear()
    SNAPSHOTS.clear()
    with transaction.atomic():
        for model in _TABLES:
            rows = model._base_manager.all()
            rows._raw_delete(rows.db)
