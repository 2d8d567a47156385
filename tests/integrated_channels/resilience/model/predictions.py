"""Predictions: the diagnosis of an item before a run, compared with what the run does with the item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, TransmissionAttempt
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.diagnosis import diagnose
from tests.integrated_channels.resilience.model.catalogs import ALL_KEYS
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from enterprise_catalog.integrated_channels.reporting.diagnosis import Finding
    from tests.integrated_channels.resilience.model.simulation import Simulation

#: One in this many runs has a prediction.
EVERY: Final = 3


@dataclass(frozen=True)
class Prediction:
    """The finding about one key before a run."""

    key: str
    finding: Finding

    @classmethod
    def make(cls, simulation: Simulation, configuration: ChannelConfiguration, *, turn: int) -> Self | None:
        """Return the prediction for the next run, which starts now.

        To save time, only every third run has one, each about the next key; ``None`` for other runs.
        """
        number, rest = divmod(turn, EVERY)
        if rest:
            return None
        key = ALL_KEYS[number % len(ALL_KEYS)]
        with CatalogClient() as catalog:
            customer = configuration.enterprise_customer_uuid
            diagnosis = diagnose(customer, key, catalog=catalog, now=simulation.clock.now)
        assert not diagnosis.problem
        return cls(key, next(each for each in diagnosis.findings if each.configuration_id == configuration.pk))

    def check(self, run: SyncRun) -> None:
        """Check the prediction against the attempts of a run that nothing interrupted and no error stopped."""
        attempts = TransmissionAttempt.objects.filter(run=run, transmission__content_key=self.key)
        carried_out = set(attempts.values_list("action", flat=True))
        predicted = self.finding.next_action
        note(f"predicted {predicted or 'nothing'}")
        if self.finding.cause is Cause.HELD:  # Released if the deletes no longer exceed the limit.
            assert carried_out <= {Action.DELETE}, self.finding
        elif predicted is None:
            assert not carried_out, self.finding
        elif predicted is Action.DELETE and not carried_out:
            assert run.backlog or self._is_held(run), self.finding
        else:
            assert carried_out == {predicted} or (run.backlog and not carried_out), self.finding

    def _is_held(self, run: SyncRun) -> bool:
        rows = ContentMetadataItemTransmission.objects.of(run.configuration).with_keys([self.key])
        return rows.filter(state=State.HELD).exists()
