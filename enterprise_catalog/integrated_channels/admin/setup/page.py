"""The pages that set up a configuration, as a mixin of the configurations' page: start, form, and preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from typing_extensions import override

from enterprise_catalog.admin_pages.pages import changed_columns
from enterprise_catalog.integrated_channels.access.configurations import save_configuration
from enterprise_catalog.integrated_channels.access.connections import check_connection, lacks_authorization
from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.admin.setup import first_sync
from enterprise_catalog.integrated_channels.admin.setup.customers import LoadedCustomer, load_customer
from enterprise_catalog.integrated_channels.admin.setup.form import form_class
from enterprise_catalog.integrated_channels.admin.setup.start import start
from enterprise_catalog.integrated_channels.channels.base import ConsentingChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin.options import _FieldsetSpec
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from enterprise_catalog.admin_pages.pages import Page
    from enterprise_catalog.integrated_channels.admin.setup.form import ConfigurationForm
    from enterprise_catalog.integrated_channels.channels.base import Channel

    class _Request(HttpRequest):
        """A request to the form."""

        findings: _Findings

else:
    Page = object

_TEST: Final = "integrated_channels_channelconfiguration_test_and_save"  # unfold's name of the button.


@dataclass(slots=True)
class _Findings:
    """The responses of the catalog service and the LMS, fetched before the form is created."""

    customer: LoadedCustomer | None = None
    connection_problems: Sequence[str] = ()
    is_untested: bool = False  #: The test has to wait until a user has granted access at the LMS.


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is left before the first sync."""

    text: str
    button: str
    url: str


class SetupPages(Page):
    """Mixin: generates the form from the channel, and tests and previews a configuration before its first sync."""

    actions_submit_line = ("test_and_save", "save_and_sync")
    change_form_before_template = "integrated_channels/setup_steps.html"

    def get_urls(self) -> list[URLPattern]:
        preview = path(
            "<path:object_id>/first-sync/",
            self.admin_site.admin_view(lambda request, object_id: first_sync.view(self, request, object_id)),
            name=first_sync.URL_NAME,
        )
        return [preview, *super().get_urls()]

    # --- the form ---------------------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        is_chosen = request.method == "POST" or "enterprise_customer_uuid" in request.GET
        if object_id is None and not (is_chosen and _channel_of(request, None)):
            return self._start_page(request)
        configuration = self.get_object(request, object_id) if object_id else None
        may_change = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if may_change and (configuration or not object_id):
            self._ask(request, configuration)
        context = extra_context or {}
        if configuration and may_change:
            context["setup_steps"] = _steps_of(configuration)
        if object_id is None:  # unfold shows its buttons only for stored objects.
            buttons = self.get_actions_submit_line(request, None)
            context["actions_submit_line"] = [button for button in buttons if button.action_name == _TEST]
        return super().changeform_view(request, object_id, form_url, context)

    def _start_page(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        result = start(request.GET)
        if isinstance(result, str):
            return HttpResponseRedirect(f"?{result}")
        context = {**self.admin_site.each_context(request), "title": gettext("New configuration"), "opts": self.opts}
        return TemplateResponse(request, "integrated_channels/start.html", {**context, "start": result})

    def _ask(self, request: HttpRequest, configuration: ChannelConfiguration | None) -> None:
        """Ask the catalog service for the customer and, if the user wants a test, the LMS for problems."""
        findings = cast("_Request", request).findings = _Findings()
        customer_uuid = _customer_uuid(request, configuration)
        if customer_uuid is not None and not request.POST.get("skip_customer_check"):
            findings.customer = load_customer(customer_uuid)
        if request.method != "POST" or _TEST not in request.POST:
            return
        form = self.get_form(request, configuration, change=configuration is not None)(
            request.POST, instance=configuration
        )
        if form.is_valid():
            findings.is_untested = _needs_authorization(form.instance)
            if not findings.is_untested:
                findings.connection_problems = check_connection(form.instance, clock=timezone.now)

    @override
    def get_form(
        self, request: HttpRequest, obj: ChannelConfiguration | None = None, change: bool = False, **kwargs: object
    ) -> type[ConfigurationForm]:
        findings = _findings_of(request)
        form = form_class(obj, _channel_of(request, obj), findings.customer, findings.connection_problems)
        made = super().get_form(request, obj, change=change, **{"form": form, **kwargs})
        return cast("type[ConfigurationForm]", made)

    def get_fieldsets(self, request: HttpRequest, obj: ChannelConfiguration | None = None) -> _FieldsetSpec:
        what = ("channel_code", "display_name", "active", "enterprise_customer_uuid", "catalog_uuids")
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return ((None, {"fields": what}), (_("LMS"), {"fields": ("base_url", "settings")}))
        channel = _channel_of(request, obj)
        form = form_class(obj, channel)
        where = ("base_url", *(field.form_name for field in form.settings_fields))
        credentials = (*form.credentials_rows(), *(("consent",) if obj else ()))
        return (
            (None, {"fields": (*what, "skip_customer_check")}),
            (gettext("LMS: %(channel)s") % {"channel": channel.label} if channel else _("LMS"), {"fields": where}),
            (_("Credentials"), {"fields": credentials}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelConfiguration | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # The transmissions belong to one customer's LMS; another customer or LMS needs another configuration.
        fixed = ("enterprise_customer_uuid",) if _was_used(obj) else ()
        # Switching it is a decision with a reason: the buttons "Pause" and "Resume".
        return ("channel_code", "active", *fixed, "consent")

    @override
    def save_model(
        self, request: HttpRequest, obj: ChannelConfiguration, form: ConfigurationForm, change: bool
    ) -> None:
        columns = [*changed_columns(obj, form), *form.changed_columns]
        save_configuration(obj, columns if change else None)

    # --- after saving -----------------------------------------------------------------------------------------------

    @admin.action(description=_("Test and save"), permissions=["change"])
    def test_and_save(self, request: HttpRequest, obj: ChannelConfiguration) -> None:
        """Nothing to do after saving: :meth:`changeform_view` has tested the connection."""

    def response_add(
        self, request: HttpRequest, obj: ChannelConfiguration, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._response(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: ChannelConfiguration) -> HttpResponse:
        return self._response(request, obj) or super().response_change(request, obj)

    def _response(self, request: HttpRequest, obj: ChannelConfiguration) -> HttpResponse | None:
        """Return to the form after a test, where the next steps are."""
        if _TEST not in request.POST:
            return None
        if _findings_of(request).is_untested:
            text = gettext("Saved. The connection can be tested once access to the LMS has been granted.")
        else:
            text = gettext("The connection works, and the configuration was saved.")
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:integrated_channels_channelconfiguration_change", args=[obj.pk]))

    # --- deleting ---------------------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: ChannelConfiguration | None = None) -> bool:
        """Allow deleting a configuration that never sent anything; the history of all others must stay."""
        return obj is not None and super().has_delete_permission(request, obj) and not _was_used(obj)

    @override
    def get_deleted_objects(
        self, objs: QuerySet[ChannelConfiguration] | Sequence[ChannelConfiguration], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """List only the configurations: their runs are kept (see :func:`delete_configuration`)."""
        return [str(obj) for obj in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    @override
    def delete_model(self, request: HttpRequest, obj: ChannelConfiguration) -> None:
        by = request.user.get_username()
        delete_configuration(obj, by=by, now=timezone.now(), reason="Deleted in the admin.")


def _findings_of(request: HttpRequest) -> _Findings:
    findings: _Findings = getattr(request, "findings", None) or _Findings()
    return findings


def _channel_of(request: HttpRequest, configuration: ChannelConfiguration | None) -> type[Channel] | None:
    """Return the channel of the configuration, or that of the new one in the form or in the URL."""
    chosen = request.POST.get("channel_code") or request.GET.get("channel_code", "")
    return CHANNELS.get(configuration.channel_code if configuration else chosen)


def _customer_uuid(request: HttpRequest, configuration: ChannelConfiguration | None) -> UUID | None:
    stored = configuration.enterprise_customer_uuid if configuration else ""
    for text in (request.POST.get("enterprise_customer_uuid"), stored, request.GET.get("enterprise_customer_uuid")):
        try:
            return UUID(str(text))
        except ValueError:
            continue
    return None


def _was_used(configuration: ChannelConfiguration) -> bool:
    return ContentMetadataItemTransmission.objects.of(configuration).exists()


def _needs_authorization(configuration: ChannelConfiguration) -> bool:
    """Return True if the LMS cannot be tested yet. A test may replace a token, which only a saved one can store."""
    is_new = configuration.pk is None
    is_consenting = issubclass(CHANNELS[configuration.channel_code], ConsentingChannel)
    return is_consenting and (is_new or lacks_authorization(configuration))


def _steps_of(configuration: ChannelConfiguration) -> list[Step]:
    """Return the steps from a saved configuration to its first sync; an empty list once it is active."""
    if configuration.channel_code not in CHANNELS:
        return []
    waits = lacks_authorization(configuration)
    if configuration.active and not waits:
        return []
    preview = reverse(f"admin:{first_sync.URL_NAME}", args=[configuration.pk])
    steps = [Step(gettext("Preview the first sync, then activate the configuration."), gettext("Preview"), preview)]
    if waits:
        text = gettext("Grant access: log in to the LMS as a user of the customer.")
        steps.insert(0, Step(text, gettext("Authorize"), reverse("channel-consent", args=[configuration.pk])))
    return steps
