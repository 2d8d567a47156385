"""Every request of the API that may change something, found in its URLs: who may send it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.urls import URLPattern

from enterprise_catalog.integrated_channels.api import urls
from enterprise_catalog.integrated_channels.api.open_edx import urls as open_edx_urls
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    Operation,
    Subscription,
)
from enterprise_catalog.integrated_channels.tasks import run_operation, sync_configuration
from tests.factories.channels import SubscriptionFactory, TransmissionFactory
from tests.integrated_channels.api.endpoints import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

ACME: Final = UUID(int=7)
_ACTION: Final = f"post {ROOT}configurations/PK/"
_OLD, _NEW = "/integrated_channels/api/v1/", "/channel_integrations/api/v1/"
#: Requests that only operators may send. Decide here about a new request.
OPERATORS_ONLY: Final = {
    f"{_ACTION}{name}/" for name in ("approve-deletes", "keep-items", "delete-kept", "adopt", "resend-all")
}
#: Requests that a customer's own admin may send too.
ADMINS: Final = {
    *(f"{_ACTION}{name}/" for name in ("sync-now", "pause", "resume", "check-connection", "send-again")),
    *(f"{_ACTION}{name}/" for name in ("preview", "check-drift")),
    f"post {ROOT}configurations/",
    f"patch {ROOT}configurations/PK/",
    f"delete {ROOT}configurations/PK/",
    f"post {ROOT}diagnosis/",
    f"post {ROOT}subscriptions/",
    f"patch {ROOT}subscriptions/PK/",
    f"delete {ROOT}subscriptions/PK/",
    f"post {ROOT}subscriptions/PK/test/",
    *(f"post {prefix}moodle/configuration/" for prefix in (_OLD, _NEW)),
    *(f"{method} {prefix}moodle/configuration/PK/" for method in ("put", "patch", "delete") for prefix in (_OLD, _NEW)),
}
BODY: Final = {
    f"post {ROOT}diagnosis/": {"enterprise_customer": str(ACME), "content_key": "edX+A", "configuration": 999},
    **{
        f"post {prefix}moodle/configuration/": {"enterprise_customer": str(ACME), "moodle_base_url": "x"}
        for prefix in (_OLD, _NEW)
    },
    f"post {ROOT}subscriptions/": {
        "enterprise_customer": str(ACME),
        "medium": "email",
        "email": "a@example.org",
    },
    f"post {ROOT}configurations/": {
        "enterprise_customer": str(ACME),
        "channel": "MOODLE",
        "base_url": "https://moodle.example.org",
        "credentials": {},
    },
}


def writes() -> Iterator[str]:
    """Yield method and path of each request that is not a read; ``PK`` stands for the id of a row."""
    for pattern in urls.urlpatterns:
        yield from _writes_of(pattern, ROOT)
    for resolver in open_edx_urls.urlpatterns:
        for included in resolver.url_patterns:
            assert isinstance(included, URLPattern)
            yield from _writes_of(included, f"/{resolver.pattern}")


def _writes_of(pattern: URLPattern, prefix: str) -> Iterator[str]:
    path = re.sub("<int:pk>", "PK", str(pattern.pattern)).replace("<slug:channel>", "moodle")
    view: Any = pattern.callback
    for method in ("post", "put", "patch", "delete"):
        if hasattr(view.view_class, method):
            yield f"{method} {prefix}{path}"


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> ChannelConfiguration:
    """Acme's configuration, with items in each state that a user decides on, and a subscription with the same id."""
    for task in (sync_configuration, run_operation):
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None)
    configuration = TransmissionFactory.create(content_key="held", held=True).configuration
    for state in ("kept", "dead_letter", "transmitted"):
        TransmissionFactory.create(content_key=state, configuration=configuration, **{state: True})
    SubscriptionFactory.create(pk=configuration.pk, configuration=configuration, is_customers=True)
    return configuration


def everything() -> list[Any]:
    """Return all that a request may change."""
    return [
        [*model.objects.order_by("pk").values()]
        for model in (ChannelConfiguration, ContentMetadataItemTransmission, Decision, Operation, Subscription)
    ]


def send(client: APIClient, request: str, configuration: ChannelConfiguration) -> Any:
    method, _, path = request.replace("PK", str(configuration.pk)).partition(" ")
    return getattr(client, method)(path, BODY.get(request, {}))


def test_each_request_that_may_change_something_is_classified() -> None:
    found = [*writes()]

    assert {*found} == OPERATORS_ONLY | ADMINS
    assert len(found) == len({*found})


@pytest.mark.parametrize("request_", sorted(OPERATORS_ONLY))
def test_a_customers_admin_cannot_do_what_only_operators_may(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient], operator: APIClient, request_: str
) -> None:
    before = everything()

    refused = send(admin_of(ACME), request_, configuration)

    assert (refused.status_code, refused.json()["code"]) == (403, "operator_required")
    assert everything() == before
    assert send(operator, request_, configuration).status_code in {200, 202}
    assert everything() != before


@pytest.mark.parametrize("request_", sorted(ADMINS))
def test_a_customers_admin_may_do_all_else(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient], request_: str
) -> None:
    ChannelConfiguration.objects.update(base_url="http://127.0.0.1:9")

    response = send(admin_of(ACME), request_, configuration)

    assert (response.status_code == 403) == (request_ == f"post {ROOT}diagnosis/")  # Of an unknown configuration.


@pytest.mark.parametrize("request_", sorted(OPERATORS_ONLY | ADMINS))
@pytest.mark.parametrize(
    "role", [f"enterprise_learner:{ACME}", "enterprise_learner:*", f"enterprise_admin:{UUID(int=8)}"]
)
def test_all_other_callers_may_do_nothing(
    configuration: ChannelConfiguration, client_with: Callable[..., APIClient], request_: str, role: str
) -> None:
    before = everything()

    assert send(client_with(role), request_, configuration).status_code == 403
    assert everything() == before
