"""``overview/``: counts, rows and figures, for the customers that the caller sees."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.models import ConfigurationStatus, Status
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.api.endpoints import OVERVIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

OURS, THEIRS = UUID(int=7), UUID(int=8)


def make(customer: UUID, state: Status, **columns: object) -> int:
    """Create a configuration with this status; return its ID."""
    pk: int = ConfigurationFactory.create(enterprise_customer_uuid=customer).pk
    ConfigurationStatus.objects.filter(pk=pk).update(
        state=state, rank=state.rank, run_state="complete", matched=9, **columns
    )
    return pk


def test_an_operator_of_all_customers_sees_all_and_the_figures(operator: APIClient) -> None:
    first, second = make(OURS, Status.BEHIND, behind=3), make(THEIRS, Status.FAILING, failing=1)
    make(OURS, Status.UP_TO_DATE)

    found = operator.get(OVERVIEW).json()

    assert [row["configuration"] for row in found["results"]] == [second, first]
    assert found["results"][1]["reason"] == "3 items are still to be sent."
    assert (found["counts"]["failing"], found["counts"]["up_to_date"], found["total"]) == (1, 1, 2)
    assert len(found["days"]) == 28


def test_a_customers_admin_sees_only_that_customer(admin_of: Callable[[UUID], APIClient]) -> None:
    ours = make(OURS, Status.NEEDS_DECISION, held=30)
    make(THEIRS, Status.FAILING)

    found = admin_of(OURS).get(OVERVIEW).json()

    assert [(row["configuration"], row["state"], row["held"]) for row in found["results"]] == [
        (ours, "needs_decision", 30)
    ]
    assert (found["counts"]["failing"], found["days"]) == (0, None)


def test_a_state_is_chosen(operator: APIClient) -> None:
    make(OURS, Status.FAILING)
    exceptions = make(OURS, Status.UP_TO_DATE_EXCEPT, rejected=6)

    found = operator.get(OVERVIEW, {"state": "up_to_date"}).json()

    assert [row["configuration"] for row in found["results"]] == [exceptions]


@pytest.mark.parametrize("query", [{"state": "fine"}, {"page": "0"}, {"page": "last"}])
def test_an_invalid_parameter_is_rejected(operator: APIClient, query: dict[str, str]) -> None:
    assert operator.get(OVERVIEW, query).status_code == 400


def test_without_a_role_there_is_no_overview(client: APIClient) -> None:
    assert client.get(OVERVIEW).status_code == 401
