"""Copies of the LMS's customers: read, kept while the LMS is away, and read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import pytest

from enterprise_catalog.catalog.lms import tasks
from enterprise_catalog.catalog.lms.catalogs import create_catalog, delete_catalog
from enterprise_catalog.catalog.lms.client import LMSClient
from enterprise_catalog.catalog.lms.customers import stale_customers, update_customer, update_customers
from enterprise_catalog.catalog.models import EnterpriseCustomer
from enterprise_catalog.celery import app
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx.api import CUSTOMERS
from enterprise_catalog.service_client.exceptions import (
    CredentialsError,
    NotConfiguredError,
    ServiceError,
    UnreachableError,
    UnreadableResponseError,
)
from tests.catalog.queries import served_times, version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

UUID_OF_ACME: Final = UUID(int=2)
_MEMBERS: Final = {
    "title": "All Content",
    "enterprise_customer": UUID_OF_ACME,
    "enterprise_customer_name": "Acme Inc.",
    "content_filter": {"content_type": "course"},
    "enabled_course_modes": [],
    "publish_audit_enrollment_urls": False,
}
MODIFIED: Final = "2026-02-03T04:05:06.789012Z"


@pytest.fixture
def lms(open_edx: OpenEdxSandbox) -> Iterator[LMSClient]:
    """A client of the sandbox, which does not really wait."""
    open_edx.put_customer(str(uuid4()), name="Other", slug="other")
    with LMSClient(sleep=lambda _: None) as client:
        yield client


@pytest.fixture
def _eager() -> Iterator[None]:
    """Tasks run in this process as soon as they are queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """A catalog of Acme, whose slug is not known yet."""
    customer = CustomerFactory.create(uuid=UUID_OF_ACME, name="Acme (created)", slug="")
    return CatalogFactory.create(customer=customer, content=["a"])


def put_acme(open_edx: OpenEdxSandbox, **members: object) -> None:
    open_edx.put_customer(str(UUID_OF_ACME), **{"name": "Acme", "slug": "acme", "modified": MODIFIED, **members})


def acme() -> EnterpriseCustomer:
    return EnterpriseCustomer.objects.get(pk=UUID_OF_ACME)


def fail(open_edx: OpenEdxSandbox, kind: FaultKind = FaultKind.ANSWER, **how: Any) -> None:
    open_edx.faults.add(Fault(kind=kind, operation=CUSTOMERS, **how))


def test_name_slug_and_portal_are_copied(open_edx: OpenEdxSandbox, lms: LMSClient, catalog: EnterpriseCatalog) -> None:
    put_acme(open_edx, enable_learner_portal=False)

    update_customer(UUID_OF_ACME, lms, now=DAY_TWO)

    copy = acme()
    assert (copy.name, copy.slug, copy.learner_portal_enabled) == ("Acme", "acme", False)
    assert copy.lms_modified_at == datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
    assert copy.lms_read_at == DAY_TWO
    assert served_times(catalog) == {"a": DAY_TWO}


def test_a_copy_of_the_same_values_moves_nothing(
    open_edx: OpenEdxSandbox, lms: LMSClient, catalog: EnterpriseCatalog
) -> None:
    put_acme(open_edx)
    update_customer(UUID_OF_ACME, lms, now=DAY_TWO)
    before = version_of(catalog)

    update_customer(UUID_OF_ACME, lms, now=DAY_TWO + timedelta(days=1))

    assert version_of(catalog) == before
    assert acme().lms_read_at == DAY_TWO + timedelta(days=1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401}, CredentialsError),
        ({"status": 403}, CredentialsError),
        ({"status": 500}, UnreachableError),
        ({"status": 429}, UnreachableError),
        ({"kind": FaultKind.REFUSE}, UnreachableError),
        ({"status": 200, "body": "<html>", "content_type": "text/html"}, UnreadableResponseError),
        ({"status": 200, "body": "[]"}, UnreadableResponseError),
        ({"status": 200, "body": '{"results": [1]}'}, UnreadableResponseError),
    ],
)
def test_nothing_is_guessed_while_the_lms_cannot_be_read(
    open_edx: OpenEdxSandbox,
    lms: LMSClient,
    catalog: EnterpriseCatalog,
    fault: dict[str, Any],
    error: type[ServiceError],
) -> None:
    put_acme(open_edx)
    for _ in range(5):
        fail(open_edx, **fault)

    with pytest.raises(error):
        update_customer(UUID_OF_ACME, lms, now=DAY_TWO)

    assert (acme().name, acme().slug, acme().lms_read_at) == ("Acme (created)", "", None)
    assert served_times(catalog) == {"a": DAY_ONE}


@pytest.mark.parametrize(
    "members", [{"slug": "a b"}, {"slug": ""}, {"slug": None}, {"name": ""}, {"enable_learner_portal": "perhaps"}]
)
def test_an_invalid_value_changes_nothing(
    open_edx: OpenEdxSandbox, lms: LMSClient, catalog: EnterpriseCatalog, members: dict[str, object]
) -> None:
    put_acme(open_edx, **members)

    with pytest.raises(UnreadableResponseError, match=f"at {next(iter(members))}"):
        update_customer(UUID_OF_ACME, lms, now=DAY_TWO)

    assert acme().lms_read_at is None
    assert served_times(catalog) == {"a": DAY_ONE}


def test_a_customer_that_the_lms_does_not_have_keeps_its_values(lms: LMSClient, catalog: EnterpriseCatalog) -> None:
    update_customer(UUID_OF_ACME, lms, now=DAY_TWO)

    assert (acme().name, acme().slug, acme().lms_read_at) == ("Acme (created)", "", DAY_TWO)
    assert served_times(catalog) == {"a": DAY_ONE}


def test_customers_without_a_recent_copy_are_stale() -> None:
    ages = {"new": None, "old": timedelta(hours=2), "older": timedelta(hours=3), "recent": timedelta(minutes=59)}
    for name, age in ages.items():
        customer = CustomerFactory.create(name=name, lms_read_at=age and DAY_TWO - age)
        CatalogFactory.create(customer=customer)
    CustomerFactory.create(name="without catalogs")
    CatalogFactory.create(customer__name="with a deleted catalog", catalog_query=None, deleted_at=DAY_ONE)

    stale = stale_customers(now=DAY_TWO)

    assert [customer.name for customer in stale] == ["new", "older", "old"]


def test_a_run_reads_all_stale_customers(open_edx: OpenEdxSandbox, lms: LMSClient) -> None:
    customers = [CatalogFactory.create(customer__slug="").enterprise_customer for _ in range(3)]
    for number, customer in enumerate(customers):
        open_edx.put_customer(str(customer.pk), slug=f"slug-{number}")

    counts = [update_customers(lms, clock=lambda: DAY_TWO) for _ in range(2)]

    assert counts == [3, 0]
    assert sorted(EnterpriseCustomer.objects.values_list("slug", flat=True)) == ["slug-0", "slug-1", "slug-2"]


def test_a_run_skips_invalid_customers(open_edx: OpenEdxSandbox, lms: LMSClient, catalog: EnterpriseCatalog) -> None:
    put_acme(open_edx, slug="not a slug")
    other = CatalogFactory.create(customer__slug="").enterprise_customer
    open_edx.put_customer(str(other.pk), slug="other")

    assert update_customers(lms, clock=lambda: DAY_TWO) == 1
    assert catalog.enterprise_customer_id in stale_customers(now=DAY_TWO).values_list("pk", flat=True)


def test_a_run_ends_when_the_lms_is_down(open_edx: OpenEdxSandbox, lms: LMSClient) -> None:
    for _ in range(3):
        CatalogFactory.create()
    for _ in range(5):
        fail(open_edx, status=503)

    assert update_customers(lms, clock=lambda: DAY_TWO) == 0
    assert open_edx.calls[CUSTOMERS] == 5  # Of one customer: no other was tried.


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_eager")
def test_a_new_customer_is_read_right_away(open_edx: OpenEdxSandbox) -> None:
    put_acme(open_edx)

    create_catalog(UUID(int=1), _MEMBERS, now=DAY_ONE)

    assert (acme().name, acme().slug) == ("Acme", "acme")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("open_edx", "_eager")
def test_a_catalog_is_created_while_the_lms_is_down(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LMS_BASE_URL = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr("enterprise_catalog.service_client.client.PAUSES_SECONDS", ())

    create_catalog(UUID(int=1), _MEMBERS, now=DAY_ONE)

    assert (acme().name, acme().slug, acme().lms_read_at) == ("Acme Inc.", "", None)


@pytest.mark.usefixtures("_eager")
def test_a_recent_copy_is_not_read_again(open_edx: OpenEdxSandbox, django_capture_on_commit_callbacks: Any) -> None:
    CustomerFactory.create(uuid=UUID_OF_ACME, lms_read_at=datetime.now(UTC))

    with django_capture_on_commit_callbacks(execute=True):
        create_catalog(UUID(int=1), _MEMBERS, now=DAY_ONE)

    assert open_edx.calls[CUSTOMERS] == 0


def test_without_an_lms_nothing_is_updated(settings: Settings) -> None:
    settings.LMS_BASE_URL = ""

    assert tasks.update_customers() == 0


def test_without_an_lms_there_is_no_client(settings: Settings) -> None:
    settings.LMS_BASE_URL = ""

    with pytest.raises(NotConfiguredError):
        LMSClient()


def test_a_customer_that_the_lms_deletes_is_kept_with_empty_catalogs(
    open_edx: OpenEdxSandbox, lms: LMSClient, catalog: EnterpriseCatalog
) -> None:
    """The LMS deletes a customer's catalogs with it, and sends a DELETE for each."""
    put_acme(open_edx)
    update_customer(UUID_OF_ACME, lms, now=DAY_ONE)
    open_edx.customers.clear()

    delete_catalog(catalog.pk, now=DAY_TWO)

    assert acme().name == "Acme"
    assert served_times(catalog) == {}
    assert not stale_customers(now=DAY_TWO).exists()
