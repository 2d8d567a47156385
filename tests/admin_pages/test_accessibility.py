"""The admin's pages for everybody: axe-core's rules in light and dark, on a phone and a desktop; and the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from playwright.sync_api import expect

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from tests.admin_pages.accessibility import LOOKS, NAVIGATION, problems
from tests.admin_pages.browser import admin_page
from tests.admin_pages.crawler import AdminCrawler, all_models, base_of, custom_pages, pages_of
from tests.admin_pages.rows import a_row_of_everything
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

#: Parts of pages, downloads, and pages that need a form's data.
NO_PAGES: Final = ("search/", "autocomplete/", "jsi18n/", "logout/", "export.csv", "export.jsonl")
#: Controls that are shown. A control inside of another one, or in a menu that is closed, is not a stop of its own.
CONTROLS: Final = """
    () => [...document.querySelectorAll("a, button, input, select, textarea, summary, [x-on\\\\:click]")]
    .filter(each => each.checkVisibility({visibilityProperty: true}) && each.getClientRects().length)
    .filter(each => each.textContent.trim() || each.matches("input, select, textarea"))
    .filter(each => !each.closest(".select2-hidden-accessible") && !each.disabled && each.type !== "hidden")"""
#: Marks each control with its number, and returns the number of controls.
NUMBER_CONTROLS: Final = f"({CONTROLS})().map((each, number) => each.dataset.control = number).length"
#: The number of the control that has the focus, and how the focus is shown.
FOCUSED: Final = """() => {
    const focused = document.activeElement;
    const looks = [focused, focused.parentElement].map(each => getComputedStyle(each));
    const isVisible = looks.some(look => look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0);
    return [focused.dataset.control ?? null, isVisible, focused.outerHTML.slice(0, 200)];
}"""


@pytest.fixture
def catalog_service(live_server: LiveServer, settings: Settings) -> LiveServer:
    """The live server, which the channels' settings point to as well."""
    settings.CATALOG_API_URL = live_server.url
    settings.OAUTH2_PROVIDER_URL = f"{live_server.url}/oauth2"
    return live_server


def addresses() -> Iterator[str]:
    """Yield the URL of each page: those of all models, their confirmations, and the pages without a model."""
    request = AdminCrawler("root", is_superuser=True).request
    for model in all_models():
        row = model._default_manager.first()
        yield from (address for address in pages_of(model, row) if not address.endswith(NO_PAGES))
        for action in admin.site.get_model_admin(model).get_actions(request):
            yield f"{base_of(model)}{row.pk}/action/{action}/"
    yield from (address for address in custom_pages() if not address.endswith(NO_PAGES))
    yield from addresses_with_arguments(ContentMetadataItemTransmission.objects.latest("pk"))
    yield "/admin/no-such-page/"


def addresses_with_arguments(row: ContentMetadataItemTransmission) -> Iterator[str]:
    customer = row.configuration.enterprise_customer_uuid
    yield diagnosis_of(row)
    yield f"/admin/customers/{customer}/"
    for code in CHANNELS:
        query = urlencode({"channel_code": code, "enterprise_customer_uuid": customer})
        yield f"{CONFIGURATIONS}add/?{query}"


def diagnosis_of(row: ContentMetadataItemTransmission) -> str:
    query = {"enterprise_customer": row.configuration.enterprise_customer_uuid, "content_key": row.content_key}
    return f"/admin/diagnosis/?{urlencode(query)}"


def open_menus(page: Page) -> Iterator[str]:
    """Open what is hidden at first, in turn; yield the name of each."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(TRANSMISSIONS)
    page.locator("[x-on\\:click]", has_text="Filters").first.click()
    expect(page.locator("#changelist-filter")).to_be_visible()
    yield "filters"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(TRANSMISSIONS)
    page.get_by_role("button", name="admin").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    yield "the user's menu"
    page.goto("/admin/auth/user/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    yield "errors of a form"


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(1_800)  # Opens 140 pages; a busy machine takes several times as long.
def test_no_page_has_a_serious_problem_or_scrolls_sideways(
    catalog_service: LiveServer, pytestconfig: pytest.Config
) -> None:
    """In the ordinary form, each page in one look, in turn; in the long form, each page in all four."""
    found: list[str] = []
    opened = 0

    def check(page: Page, name: str) -> None:
        nonlocal opened
        looks = LOOKS if pytestconfig.getoption("--soak") else LOOKS[opened % len(LOOKS) :][:1]
        opened += 1
        found.extend(f"{name}, {problem}" for problem in problems(page, looks, without=NAVIGATION))

    with admin_page(catalog_service.url) as page:
        found.extend(problems(page))  # With the navigation.
        a_row_of_everything()
        was_forbidden = False
        for address in addresses():
            response = page.goto(address)
            assert response
            if response.status != 403 or not was_forbidden:  # All forbidden pages are the same.
                check(page, address)
            was_forbidden |= response.status == 403
        for name in open_menus(page):
            check(page, name)
        page.evaluate("document.getElementById('logout-form').submit()")
        page.get_by_role("link", name="Log in again").wait_for()
        check(page, "logged out")
        page.goto("/admin/login/")
        check(page, "login")

    assert opened > 130
    assert not found, "\n".join(found)


def test_a_form_without_a_token_leads_to_an_accessible_page(live_server: LiveServer) -> None:
    with admin_page(live_server.url) as page:
        page.goto("/admin/auth/group/add/")
        page.context.clear_cookies(name="csrftoken")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("security token is missing or has expired")
        found = problems(page)

        page.context.clear_cookies()
        page.goto("/admin/login/")
        page.context.clear_cookies()
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill("admin")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Back to the login page").wait_for()
        found += problems(page)

    assert found == []


def test_the_keyboard_reaches_everything(catalog_service: LiveServer) -> None:
    with admin_page(catalog_service.url) as page:
        a_row_of_everything()
        row = ContentMetadataItemTransmission.objects.latest("pk")

        page.goto(diagnosis_of(row))
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_label("Customer")).to_be_focused()
        assert unreachable(page) == []

        page.goto(f"{CONFIGURATIONS}{ChannelConfiguration.objects.latest('pk').pk}/change/")
        assert unreachable(page) == []


def unreachable(page: Page) -> list[str]:
    """Press Tab through the open page; return the controls that are never focused, or whose focus is not visible."""
    page.set_viewport_size({"width": 1440, "height": 900})
    number = page.evaluate(NUMBER_CONTROLS)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached, invisible = set[int](), list[str]()
    for _ in range(2 * number):
        page.keyboard.press("Tab")
        control, is_visible, html = page.evaluate(FOCUSED)
        if html.startswith("<body"):  # After the last control.
            continue
        if control is not None:
            reached.add(int(control))
        if not is_visible:
            invisible.append(f"focus not visible: {html}")
    missed = [page.locator(f"[data-control='{each}']") for each in sorted({*range(number)} - reached)]
    return sorted({*invisible, *(f"never focused: {outer_html(each)}" for each in missed)})


def outer_html(control: Any) -> str:
    return str(control.evaluate("element => element.outerHTML"))[:200]


@pytest.mark.parametrize("width", [390, 1100])
def test_the_keyboard_opens_and_closes_the_navigation_on_a_narrow_screen(live_server: LiveServer, width: int) -> None:
    with admin_page(live_server.url) as page:
        page.set_viewport_size({"width": width, "height": 900})
        navigation = page.locator("#nav-sidebar")
        expect(navigation).to_be_hidden()

        page.get_by_role("button", name="Show or hide the navigation").press("Enter")
        expect(navigation).to_be_visible()
        expect(navigation.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")

        expect(navigation).to_be_hidden()
