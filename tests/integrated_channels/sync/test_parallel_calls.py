"""A run with parallel calls: its main thread writes results while the LMS works."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.models import TransmissionAttempt
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind, FaultQueue
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from tests.integrated_channels.conftest import Clock

CHUNK_SIZE = 2


@pytest.mark.django_db(transaction=True)
def test_results_of_a_chunk_are_written_during_the_calls_of_the_next(
    customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(customer=customer, courses=2 * CHUNK_SIZE)
    written: list[int] = []

    def wait_for_results(_: float) -> None:
        ends_at, results = time.monotonic() + 10, 0
        while results < CHUNK_SIZE and time.monotonic() < ends_at:
            results = TransmissionAttempt.objects.filter(outcome=Outcome.DONE).count()
        written.append(results)

    canvas = CanvasSandbox(faults=FaultQueue(sleep=wait_for_results))
    canvas.faults.add(Fault(kind=FaultKind.DELAY, operation="POST */courses", skip=CHUNK_SIZE))
    with on_loopback(canvas) as url:
        configuration = ConfigurationFactory.create(
            channel_code="CANVAS",
            enterprise_customer_uuid=customer.pk,
            base_url=url,
            sandbox=canvas,
            chunk_size=CHUNK_SIZE,
        )

        run = run_of(configuration, clock)

    assert written == [CHUNK_SIZE]
    assert run.counts == {"create": {"done": 2 * CHUNK_SIZE}}
