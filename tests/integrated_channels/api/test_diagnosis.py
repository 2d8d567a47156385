"""The diagnosis of an item."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.api.throttles import LMSThrottle
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.api.endpoints import DIAGNOSIS
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

    Admin = Callable[[UUID], APIClient]

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customers_admin_reads_why_a_course_is_missing(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, admin_of: Admin
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    response = admin_of(customer.pk).get(
        DIAGNOSIS, {"enterprise_customer": str(customer.pk), "content_key": "edX+DemoX"}
    )

    [finding] = response.json()["findings"]
    assert (finding["configuration"], finding["cause"]) == (configuration.pk, "never_synced")
    assert finding["sentence"] == "It belongs in the LMS, but this configuration has never been synced."
    assert (finding["action"], finding["next_action"]) == ("sync_now", "create")
    assert finding["steps"][0]["state"] == "passed"


@pytest.mark.usefixtures("configuration")
def test_only_operators_learn_of_content_in_other_customers_catalogs(
    customer: EnterpriseCustomer, admin_of: Admin, operator: APIClient
) -> None:
    other = CustomerFactory.create(slug="other")
    CatalogFactory.create(customer=other, content=["edX+Secret"])
    asked = {"enterprise_customer": str(customer.pk), "content_key": "edx+secret"}

    seen_by = [client.get(DIAGNOSIS, asked).json() for client in (admin_of(customer.pk), operator)]

    assert [found["findings"][0]["cause"] for found in seen_by] == ["not_in_catalog", "other_spelling"]
    assert [found["suggestions"] == [] for found in seen_by] == [True, False]


def test_the_lms_is_asked_on_request(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    admin_of: Admin,
) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])
    run_of(configuration, clock)
    moodle.table.remove(moodle.table.with_idnumber("edX+DemoX")[0].id)
    asked = {
        "enterprise_customer": str(customer.pk),
        "content_key": "edX+DemoX",
        "configuration": configuration.pk,
    }

    response = admin_of(customer.pk).post(DIAGNOSIS, asked, format="json")

    assert response.json()["findings"][0]["cause"] == "missing_in_lms"


def test_one_lms_is_asked_at_a_time_and_only_of_the_customer(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, operator: APIClient
) -> None:
    other = ConfigurationFactory.create(enterprise_customer_uuid=UUID(int=8))
    asked = {"enterprise_customer": str(customer.pk), "content_key": "edX+DemoX"}

    responses = [operator.post(DIAGNOSIS, asked | more) for more in ({}, {"configuration": other.pk})]

    assert [response.status_code for response in responses] == [400, 404]
    assert [*responses[0].json()] == ["configuration", "code"]
    assert moodle.calls.total() == 0
    assert configuration.active


def test_an_lms_is_asked_a_limited_number_of_times(
    configuration: ChannelConfiguration, operator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"enterprise_customer": str(configuration.enterprise_customer_uuid), "content_key": "edX+DemoX"}
    monkeypatch.setattr(LMSThrottle, "rate", "1/day")

    live = [operator.post(DIAGNOSIS, asked | {"configuration": configuration.pk}).status_code for _ in range(2)]

    assert live == [200, 429]
    assert operator.get(DIAGNOSIS, asked).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b"])
def test_a_text_that_cannot_be_a_key_is_rejected(key: str, operator: APIClient) -> None:
    response = operator.get(DIAGNOSIS, {"enterprise_customer": str(UUID(int=7)), "content_key": key})

    assert response.status_code == 400


@pytest.mark.django_db
def test_another_customers_diagnosis_is_refused(admin_of: Admin) -> None:
    client, asked = admin_of(UUID(int=8)), {"enterprise_customer": str(UUID(int=7)), "content_key": "edX+A"}

    assert client.get(DIAGNOSIS, asked).status_code == 403
    assert client.post(DIAGNOSIS, {**asked, "configuration": 1}, format="json").status_code == 403
