"""The payloads stored by runs against a sandbox Moodle: last sent and last accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, TransmissionPayload
from enterprise_catalog.integrated_channels.models.payloads import NOT_FIELDS, SHORT_TEXT_LENGTH, pack, unpack
from enterprise_catalog.integrated_channels.reporting.pages.payloads import stored_payloads
from enterprise_catalog.observability.redaction import Redaction
from enterprise_catalog.sandbox.cornerstone.portal import PASSWORD, USERNAME
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import SECRET, ConfigurationFactory
from tests.integrated_channels.conftest import Clock
from tests.integrated_channels.feed.portal_requests import basic
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

pytestmark = pytest.mark.django_db(transaction=True)

#: The Moodle responds to no call.
BROKEN = Fault(kind=FaultKind.ANSWER, times=None)


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    """The customer's catalog; empty."""
    return CatalogFactory.create(customer=customer)


def titles(key: str, field: str = "fullname") -> tuple[str | None, str | None]:
    """Return the titles in the payloads last accepted and last sent."""
    stored = stored_payloads(row_of(key))
    return tuple(each and each.payload[field].partition(" - ")[0] for each in (stored.accepted, stored.sent))  # type: ignore[return-value]  # two values


def offer(catalog: EnterpriseCatalog, title: str, clock: Clock) -> None:
    """Make a course with this title the only one of the catalog."""
    import_into(catalog, [CourseFactory.build(key="A", title=title)], now=clock.now, replace=True)


def test_an_accepted_payload_is_both_the_last_sent_and_the_last_accepted(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock
) -> None:
    offer(catalog, "One", clock)

    run_of(configuration, clock)

    stored = stored_payloads(row_of("A"))
    assert stored.sent is not None
    assert stored.sent is stored.accepted
    assert stored.sent.sent_at == clock.now
    assert titles("A") == ("One", "One")


def test_a_payload_that_the_lms_did_not_accept_stands_next_to_the_last_accepted_one(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    offer(catalog, "One", clock)
    run_of(configuration, clock)

    seen = []
    for title, is_broken in (("Two", True), ("Three", True), ("Four", False), ("Five", True)):
        clock.forward(days=2)
        offer(catalog, title, clock)
        moodle.faults.set([BROKEN] if is_broken else [])
        run_of(configuration, clock)
        seen.append(titles("A"))

    assert seen == [("One", "Two"), ("One", "Three"), ("Four", "Four"), ("Four", "Five")]


def test_an_item_queued_again_after_a_failure_keeps_what_the_lms_accepted(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    offer(catalog, "One", clock)
    run_of(configuration, clock)
    clock.forward(days=1)
    offer(catalog, "Two", clock)
    moodle.faults.set([BROKEN])
    run_of(configuration, clock)
    decisions.queue_again(ContentMetadataItemTransmission.objects.all(), by="support", now=clock.now)
    clock.forward(days=1)
    run_of(configuration, clock)

    assert titles("A") == ("One", "Two")


def test_a_delete_has_no_payload_and_leaves_the_last_ones(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, clock: Clock
) -> None:
    offer(catalog, "One", clock)
    run_of(configuration, clock)
    clock.forward(days=1)
    import_into(catalog, [], now=clock.now, replace=True)

    run_of(configuration, clock)

    assert row_of("A").state == "deleted"
    assert titles("A") == ("One", "One")


def test_a_staged_payload_counts_as_accepted_when_a_poll_acknowledges_it(
    customer: EnterpriseCustomer, catalog: EnterpriseCatalog, client: Client
) -> None:
    clock = Clock(timezone.now())
    credentials = {"username": USERNAME, "password": PASSWORD}
    settings = {"any_poll_proves": True}
    configuration = ConfigurationFactory.create(
        channel_code="CSOD", enterprise_customer_uuid=customer.pk, settings=settings, credentials=credentials
    )
    offer(catalog, "One", clock)
    run_of(configuration, clock)
    before = titles("A", "Title")
    for _ in range(2):
        polled = client.get(f"/integrated-channels/cornerstone/course-list?ciid={customer.pk}", headers=basic())
        assert len(b"".join(polled)) > 0
    clock.forward(hours=1)
    offer(catalog, "Two", clock)
    acknowledged = titles("A", "Title")
    run_of(configuration, clock)

    assert (before, acknowledged, titles("A", "Title")) == ((None, "One"), ("One", "One"), ("One", "Two"))


def test_a_long_text_is_shortened_so_that_two_versions_still_differ() -> None:
    long = {"key": "A", "texts": ["x" * 5_000], "title": "One"}

    kept = unpack(pack(long))

    assert (kept["key"], kept["title"]) == ("A", "One")
    assert kept["texts"][0].startswith("x" * SHORT_TEXT_LENGTH + "… [shortened: 5,000 characters, checksum ")
    assert pack(long) != pack(long | {"texts": ["x" * 4_999 + "y"]})


def test_a_payload_of_too_many_fields_is_cut() -> None:
    kept = unpack(pack({f"field {number}": "x" * 900 for number in range(100)}))

    assert list(kept) == [NOT_FIELDS]
    assert len(kept[NOT_FIELDS]) < 1_100


def test_a_payload_is_redacted_even_if_the_secret_is_a_number() -> None:
    payload = {"text": "a secret-token here", "number": 12345678}

    kept = pack(payload, redacted=lambda text: text.replace("secret-token", "[secret]").replace("12345678", "[secret]"))

    assert unpack(kept) == {NOT_FIELDS: '{"number":[secret],"text":"a [secret] here"}'}


def test_payloads_are_written_in_statements_of_a_bounded_size(
    configure: Callable[..., ChannelConfiguration],
    catalog: EnterpriseCatalog,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enterprise_catalog.integrated_channels.audit.attempts._PAYLOADS_PER_STATEMENT", 2)
    import_into(catalog, CourseFactory.numbered(3), now=clock.now)

    run_of(configure(), clock)

    assert TransmissionPayload.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        {"summary": "x" * (SHORT_TEXT_LENGTH - 4) + SECRET},
        {"parts": [{"summary": "x" * (SHORT_TEXT_LENGTH - 4) + SECRET}]},
        {f"{number:04}": "x" * 500 for number in range(2)} | {"very": {str(n): f"{SECRET}{n}" for n in range(9_000)}},
        {f"{'x' * (SHORT_TEXT_LENGTH - 12)}": SECRET} | {f"y{n}": "y" * 900 for n in range(90)},
    ],
    ids=["text", "nested text", "large payload", "large payload cut in a secret"],
)
def test_no_part_of_a_secret_is_left_where_a_text_is_cut(payload: dict[str, Any]) -> None:
    stored = str(unpack(pack(payload, redacted=Redaction([SECRET]).redacted)))

    assert SECRET[:4] not in stored
