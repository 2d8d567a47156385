"""The pages where learners enroll: in the learner portal, in the LMS, and in the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.items.enrollment_urls import EnrollmentURLs, ItemParts, parse_enrollment_urls
from enterprise_catalog.catalog.items.pages import read_items
from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
from tests.factories import DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from pytest_django import Settings

CUSTOMER: Final = UUID(int=1)
CATALOG: Final = UUID(int=2)
COURSE: Final = ItemParts("edX+Demo X", "course", "", "verified-audit", "course-v1:edX+DemoX+2")
UNADVERTISED: Final = ItemParts("edX+DemoX", "course")
RUN: Final = ItemParts("course-v1:edX+DemoX+1", "courserun", "edX+DemoX")
ORPHAN: Final = ItemParts("course-v1:edX+DemoX+1", "courserun")
EXEC_ED: Final = ItemParts("edX+ExecX", "course", "", "executive-education-2u", "run", "A/1")
UNSOLD: Final = ItemParts("edX+ExecX", "course", "", "executive-education-2u", "run")
PROGRAM: Final = ItemParts("5f1b", "program")
U: Final = "utm_medium=enterprise&utm_source=acme-co"
PORTAL: Final = "https://learn.example.org/acme"
LMS: Final = "https://lms.example.org/enterprise"
CHECKOUT: Final = "https%3A%2F%2Fshop.example.org%2Fexecutive-education-2u%2Fcheckout%3Fsku%3DA%252F1"


def urls_of(settings: Settings, **changes: Any) -> EnrollmentURLs:
    settings.LMS_BASE_URL, settings.ECOMMERCE_BASE_URL = "https://lms.example.org", "https://shop.example.org"
    is_audit = changes.pop("is_audit", False)
    values: dict[str, Any] = {
        "uuid": CUSTOMER,
        "name": "Acme & Co",
        "slug": "acme",
        "learner_portal_url": "https://learn.example.org/",
        **changes,
    }
    catalog = EnterpriseCatalog(
        uuid=CATALOG, enterprise_customer=EnterpriseCustomer(**values), publish_audit_enrollment_urls=is_audit
    )
    urls = parse_enrollment_urls(EnrollmentURLs.of(catalog).text)
    assert urls == EnrollmentURLs.of(catalog)
    return urls


@pytest.mark.parametrize(
    ("item", "url"),
    [
        (COURSE, f"{PORTAL}/course/edX+Demo%20X?{U}"),
        (RUN, f"{PORTAL}/course/edX+DemoX?course_run_key=course-v1%3AedX%2BDemoX%2B1&{U}"),
        (ORPHAN, f"{PORTAL}/course/course-v1:edX+DemoX+1?course_run_key=course-v1%3AedX%2BDemoX%2B1&{U}"),
        (EXEC_ED, f"{PORTAL}/executive-education-2u/course/edX+ExecX?{U}"),
        (UNSOLD, f"{PORTAL}/executive-education-2u/course/edX+ExecX?{U}"),
        (PROGRAM, None),
    ],
)
def test_with_a_learner_portal_they_lead_there(settings: Settings, item: ItemParts, url: str | None) -> None:
    assert urls_of(settings).url(item) == url


@pytest.mark.parametrize(
    ("item", "url"),
    [
        (COURSE, f"{LMS}/{CUSTOMER}/course/course-v1:edX+DemoX+2/enroll/?catalog={CATALOG}&{U}"),
        (UNADVERTISED, f"{LMS}/{CUSTOMER}/course/edX+DemoX/enroll/?catalog={CATALOG}&{U}"),
        (RUN, f"{LMS}/{CUSTOMER}/course/course-v1:edX+DemoX+1/enroll/?catalog={CATALOG}&{U}"),
        (EXEC_ED, f"{LMS}/proxy-login/?enterprise_slug=acme&next={CHECKOUT}&{U}"),
        (UNSOLD, None),
        (PROGRAM, None),
    ],
)
def test_without_a_learner_portal_they_lead_to_the_lms(settings: Settings, item: ItemParts, url: str | None) -> None:
    assert urls_of(settings, learner_portal_enabled=False).url(item) == url


@pytest.mark.parametrize("is_portal", [True, False])
@pytest.mark.parametrize("item", [COURSE, RUN, EXEC_ED])
def test_the_audit_track_is_a_parameter_in_order(settings: Settings, item: ItemParts, is_portal: bool) -> None:
    url = urls_of(settings, learner_portal_enabled=is_portal, is_audit=True).url(item)

    assert url is not None
    parameters = parse_qsl(urlsplit(url).query)
    assert parameters == sorted(parameters)
    assert parameters[0] == ("audit", "true")
    assert url.replace("audit=true&", "") == urls_of(settings, learner_portal_enabled=is_portal).url(item)


def test_without_the_addresses_of_lms_and_shop_there_are_none(settings: Settings) -> None:
    urls_of(settings)
    settings.LMS_BASE_URL = settings.ECOMMERCE_BASE_URL = ""
    customer = EnterpriseCustomer(name="Acme", slug="acme", learner_portal_enabled=False)

    urls = EnrollmentURLs.of(EnterpriseCatalog(uuid=CATALOG, enterprise_customer=customer))

    assert (urls.url(COURSE), urls.url(EXEC_ED)) == (None, None)


@pytest.mark.parametrize("is_portal", [True, False])
def test_there_are_none_before_the_slug_is_known(settings: Settings, is_portal: bool) -> None:
    urls = urls_of(settings, slug="", learner_portal_enabled=is_portal)

    assert [urls.url(item) for item in (COURSE, RUN, EXEC_ED)] == [None, None, None]


# --- upgrades --------------------------------------------------------------------------------------------------------


def served(catalog: EnterpriseCatalog, key: str) -> bytes:
    [(_, document)] = read_items(catalog.pk, [key]).documents
    return b"".join(document)


@pytest.mark.django_db
def test_a_catalog_of_an_earlier_release_keeps_its_urls_until_it_is_saved() -> None:
    course = CourseFactory.build(key="edX+ExecX", course_type="executive-education-2u")
    catalog = CatalogFactory.create(content=[course])
    EnterpriseCatalog.objects.update(enrollment_urls="")

    before = served(catalog, "edX+ExecX")
    import_into(catalog, [course], now=DAY_TWO)
    unsaved = served(catalog, "edX+ExecX")
    save_customer(catalog.enterprise_customer, now=DAY_TWO)

    assert b'"enrollment_url":"https://learn.example.org/acme/course/edX+ExecX"' in before
    assert b'"content_last_modified":"2026-03-01' in before
    after = served(catalog, "edX+ExecX")
    assert b"https://learn.example.org/acme/executive-education-2u/course/edX+ExecX?utm_medium=enterprise" in after
    assert b'"content_last_modified":"2026-03-02' in after
    assert unsaved == before
