"""Admin page "Why is a course missing?": one finding per LMS of a customer, with its steps and buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from enterprise_catalog.admin_pages.actions import object_actions
from enterprise_catalog.admin_pages.actions.object_actions import Button
from enterprise_catalog.admin_pages.rendering import link_to_list
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.catalog_api.lookups import Customer
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.diagnosis import READ_TIMEOUT_SECONDS, diagnose, diagnose_row
from enterprise_catalog.integrated_channels.reporting.live import look_up_live
from enterprise_catalog.integrated_channels.reporting.pages.customers import customers_with
from enterprise_catalog.integrated_channels.reporting.sentences import Remedy
from enterprise_catalog.integrated_channels.reporting.steps import StepState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.admin_pages.admin_site import AdminSite
    from enterprise_catalog.integrated_channels.reporting.diagnosis import Diagnosis, Finding
    from enterprise_catalog.integrated_channels.reporting.live import LiveItem

VIEW: Final = "integrated_channels.view_contentmetadataitemtransmission"
RETRY: Final = "integrated_channels.retry_items"
CONFIGURE: Final = "integrated_channels.change_channelconfiguration"

_WELL: Final = (Cause.IN_LMS,)
_WAITS: Final = (
    *(Cause.NEVER_SYNCED, Cause.PLANNED, Cause.UPDATE_PENDING, Cause.LEFT_OVER, Cause.RUNNING, Cause.IN_FEED),
    *(Cause.DELETE_APPROVED, Cause.DELETE_PENDING, Cause.OUT_OF_CALLS, Cause.THROTTLED),
)
_NEUTRAL: Final = (Cause.NOT_IN_CATALOG, Cause.KEPT, Cause.UNKNOWN)
_FAILS: Final = (
    *(Cause.REJECTED_BY_CHANNEL, Cause.REJECTED_BY_LMS, Cause.DEAD_LETTER, Cause.CREDENTIALS),
    *(Cause.CONFIGURATION, Cause.MISSING_IN_LMS, Cause.HIDDEN_IN_LMS),
)
#: Cause -> name of its color. All other causes are warnings.
TONES: Final[Mapping[Cause, str]] = {
    **dict.fromkeys(_WELL, "success"),
    **dict.fromkeys(_WAITS, "info"),
    **dict.fromkeys(_NEUTRAL, ""),
    **dict.fromkeys(_FAILS, "danger"),
}
_RESULTS: Final = {
    StepState.PASSED: _("passed"),
    StepState.FAILED: _("failed"),
    StepState.NOT_REACHED: _("not reached"),
}
#: Remedy -> actions of the item's page, and of the configuration's page.
_ON_ITEM: Final[Mapping[Remedy | None, Sequence[str]]] = {
    Remedy.SEND_AGAIN: ("queue_again",),
    Remedy.REQUEUE: ("queue_again",),
    Remedy.APPROVE_DELETES: ("approve_chosen", "keep_chosen"),
    Remedy.DELETE_KEPT: ("delete_kept",),
}
_ON_CONFIGURATION: Final[Mapping[Remedy | None, Sequence[str]]] = {
    Remedy.SYNC_NOW: ("sync_now",),
    Remedy.RESUME: ("resume",),
    Remedy.CHECK_CONNECTION: ("check_connections",),
    Remedy.REPLACE_CREDENTIALS: ("check_connections",),
}
#: Remedy -> label of a link to the configuration's form.
_LINKS: Final[Mapping[Remedy | None, StrOrPromise]] = {
    Remedy.REPLACE_CREDENTIALS: _("Replace credentials"),
    Remedy.CONFIGURE: _("Edit configuration"),
}
#: With more findings, the steps are collapsed.
MOST_OPEN: Final = 3
#: With more findings, the page would have more than 120 KB.
FINDINGS_PER_PAGE: Final = 20
#: The colors of findings in the order of the page; warnings have no color in :data:`TONES`.
_TONES_IN_ORDER: Final = ("danger", "warning", "info", "", "success")


@dataclass(frozen=True, slots=True)
class StepView:
    """A step, prepared for the template."""

    label: str
    state: str  #: One of the values of :class:`StepState`, for the style sheet.
    result: str  #: The state in words.
    detail: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, prepared for the template."""

    finding: Finding
    tone: str
    configuration_url: str
    item_url: str
    buttons: list[Button]
    steps: list[StepView]


def finding_view(finding: Finding, request: HttpRequest, *, is_item_page: bool = False) -> FindingView:
    """Return a finding with only the links and buttons that the user may use."""
    pk, transmission = finding.configuration_id, finding.transmission_id
    may_view = request.user.has_perm("integrated_channels.view_channelconfiguration")
    return FindingView(
        finding,
        TONES.get(finding.cause, "warning"),
        _url(ChannelConfiguration, "change", pk) if may_view else "",
        _url(ContentMetadataItemTransmission, "change", transmission) if transmission else "",
        list(_buttons(finding, request, is_item_page=is_item_page)),
        [StepView(step.label, step.state, str(_RESULTS[step.state]), step.detail) for step in finding.steps],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def diagnosis_page(request: HttpRequest) -> HttpResponse:
    """Return the findings about one key of one customer. A POST also asks the LMS of one configuration.

    Without a customer, the page lists the customers with a transmission of the key; of a single one, the findings.
    """
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    customer, key = request.GET.get("enterprise_customer", "").strip(), request.GET.get("content_key", "")
    context = {
        **admin.site.each_context(request),
        "title": gettext("Why is a course missing?"),
        "customer": customer,
        "key": key,
        "may_ask": request.user.has_perm(RETRY),
    }
    if key.strip():
        found = _find_customers(request, customer) if customer else _customers_with(key)
        if len(found) == 1:
            context |= _findings(request, found[0].uuid, key)
        context["customers"] = [(each.name, page_url(each.uuid, key)) for each in found]
        context["similar"] = link_to_list(
            ContentMetadataItemTransmission, gettext("Search all transmissions for this text"), q=key
        )
    request.current_app = admin.site.name
    return TemplateResponse(request, "integrated_channels/diagnosis.html", context)


def _find_customers(request: HttpRequest, text: str) -> Sequence[Customer]:
    """Return the customers with this UUID, or whose name starts with ``text``; show a message if there are none."""
    try:
        return [Customer(uuid=UUID(text), name=text, slug="")]
    except ValueError:
        pass
    try:
        with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as catalog:
            found = catalog.find_customers(text)
    except CatalogUnavailableError as error:
        messages.error(request, error.message)
        return ()
    if not found:
        none = gettext("No customer has a name that starts with “%(text)s”. Enter a name or a UUID.")
        messages.error(request, none % {"text": text[:100]})
    return found


def _customers_with(key: str) -> Sequence[Customer]:
    """Return the customers with a transmission of this key; if there are none, of the key without outer spaces."""
    found = customers_with(key) or customers_with(key.strip())
    return [Customer(uuid=uuid, name=name or str(uuid), slug="") for uuid, name in found.items()]


def diagnosis_of_row(row: ContentMetadataItemTransmission, request: HttpRequest) -> dict[str, object]:
    """Return the finding about a row with its configuration loaded, for the template of the row's page."""
    with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as catalog:
        finding, problem = diagnose_row(row, catalog=catalog, now=timezone.now())
    return {
        "view": finding_view(finding, request, is_item_page=True),
        "problem": problem,
        "diagnosis_url": page_url(row.configuration.enterprise_customer_uuid, row.content_key),
        "may_ask": request.user.has_perm(RETRY),
    }


def page_url(customer: UUID, key: str) -> str:
    """Return the URL of the diagnosis of a key."""
    return f"{reverse('admin:diagnosis')}?{urlencode({'enterprise_customer': str(customer), 'content_key': key})}"


def _findings(request: HttpRequest, customer: UUID, key: str) -> dict[str, object]:
    live = _ask(request, customer, key) if request.method == "POST" else {}
    with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as catalog:
        diagnosis = diagnose(customer, key, catalog=catalog, now=timezone.now(), live=live)
    page = Paginator(_in_order(diagnosis.findings, live), FINDINGS_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "diagnosis": diagnosis,
        "page": page,
        "findings": [finding_view(finding, request) for finding in page],
        "suggestions": list(_suggestions(diagnosis)),
        "is_open": len(diagnosis.findings) <= MOST_OPEN,
        "page_url": page_url(customer, key),
    }


def _in_order(findings: Sequence[Finding], live: Mapping[int, LiveItem]) -> list[Finding]:
    """Return the findings, first that of the LMS that was asked, then by their urgency. Few keep their order."""
    if len(findings) <= FINDINGS_PER_PAGE:
        return [*findings]
    return sorted(findings, key=lambda each: (each.configuration_id not in live, _urgency(each)))


def _urgency(finding: Finding) -> int:
    return _TONES_IN_ORDER.index(TONES.get(finding.cause, "warning"))


def _ask(request: HttpRequest, customer: UUID, key: str) -> dict[int, LiveItem]:
    """Return the response of the LMS whose button was used."""
    if not request.user.has_perm(RETRY):
        raise PermissionDenied
    chosen = ChannelConfiguration.objects.not_deleted().filter(enterprise_customer_uuid=customer)
    pk = request.POST.get("configuration", "")
    configuration = chosen.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    return {configuration.pk: look_up_live(configuration, key, clock=timezone.now)} if configuration else {}


def _suggestions(diagnosis: Diagnosis) -> Iterator[tuple[str, str, str]]:
    """Yield the key, title and URL of each suggestion."""
    for suggestion in diagnosis.suggestions:
        url = page_url(diagnosis.enterprise_customer, suggestion.content_key)
        yield suggestion.content_key, suggestion.title, url


def _buttons(finding: Finding, request: HttpRequest, *, is_item_page: bool) -> Iterator[Button]:
    """Yield the buttons that the user may use. The page of an item already has the buttons of the item."""
    item, configuration = _ON_ITEM.get(finding.action, ()), _ON_CONFIGURATION.get(finding.action, ())
    if item and finding.transmission_id and not is_item_page:
        yield from object_actions.buttons(request, ContentMetadataItemTransmission(pk=finding.transmission_id), item)
    yield from object_actions.buttons(request, ChannelConfiguration(pk=finding.configuration_id), configuration)
    if (label := _LINKS.get(finding.action)) and request.user.has_perm(CONFIGURE):
        yield Button("change", str(label), _url(ChannelConfiguration, "change", finding.configuration_id))


def _url(model: type[Model], kind: str, *args: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{kind}", args=args)


cast("AdminSite", admin.site).register_view("diagnosis/", diagnosis_page, name="diagnosis")
