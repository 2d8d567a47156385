"""Every page and action of the admin that may change something, found in its URLs: who may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory
from django.urls import URLPattern, reverse

from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    Operation,
)
from enterprise_catalog.integrated_channels.tasks import run_operation, sync_configuration
from tests.admin_pages.crawler import all_models, base_of
from tests.admin_pages.rows import a_row_of_everything
from tests.integrated_channels.admin.test_actions import action_page, member_of
from tests.integrated_channels.pages import filled_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

#: Actions that auditors may run too: they change nothing. Decide here about a new action.
AUDITORS: Final = {"channelconfiguration preview"}
#: Actions that support may run too.
SUPPORT: Final = AUDITORS | {
    "channelconfiguration requeue_dead_letters",
    "contentmetadataitemtransmission queue_again",
    "contentmetadataitemtransmission queue_same_failures",
    "operationitem queue_again",
}
#: Actions that only operators may run.
OPERATORS: Final = {
    *(f"channelconfiguration {name}" for name in ("sync_now", "compare_everything", "resend_all", "pause", "resume")),
    *(f"channelconfiguration {name}" for name in ("approve_deletes", "keep_held", "delete_kept")),
    *(f"channelconfiguration {name}" for name in ("check_connections", "check_drift", "adopt_items")),
    *(f"contentmetadataitemtransmission {name}" for name in ("approve_chosen", "keep_chosen", "delete_kept")),
    *(f"subscription {name}" for name in ("send_test_message", "mute", "unmute", "delete_selected")),
}
MAY: Final = {
    "Integration auditor": AUDITORS,
    "Integration support": SUPPORT,
    "Integration operator": SUPPORT | OPERATORS,
}


def models() -> list[Any]:
    app = apps.get_app_config("integrated_channels")
    return [model for model in all_models() if model._meta.app_label == app.label]


def actions(user: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield the name, a row and the action's name of each action that the user may run."""
    request = RequestFactory().get("/admin/")
    request.user = user
    for model in models():
        for action in admin.site.get_model_admin(model).get_actions(request):
            yield f"{model._meta.model_name} {action}", model._default_manager.first(), action


def pages() -> Iterator[str]:
    """Yield the URL of each page, except those of actions."""
    for model in models():
        row = model._default_manager.first()
        for pattern in admin.site.get_model_admin(model).get_urls():
            assert isinstance(pattern, URLPattern)
            route = str(pattern.pattern)
            if pattern.name and "<slug:action>" not in route:
                yield base_of(model) + route.replace("<path:object_id>", str(row.pk))
    configuration = ChannelConfiguration.objects.get(channel_code="CANVAS")
    yield reverse("admin:operation", args=[Operation.objects.get().pk])
    yield f"{reverse('admin:diagnosis')}?enterprise_customer={configuration.enterprise_customer_uuid}&content_key=x"
    yield reverse("channel-consent", args=[configuration.pk])


def everything() -> list[Any]:
    """Return all that a user may change."""
    return [
        [*model.objects.order_by("pk").values()]
        for model in (ChannelConfiguration, ContentMetadataItemTransmission, Decision, Operation)
    ]


@pytest.fixture(autouse=True)
def _rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (sync_configuration, run_operation):
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None)
    a_row_of_everything()


def test_each_action_is_classified(admin_user: Any) -> None:
    found = {name for name, _, _ in actions(admin_user)}

    assert found - {"channelconfiguration delete_selected"} == SUPPORT | OPERATORS


@pytest.mark.parametrize("group", MAY)
def test_each_group_may_run_its_actions_and_no_others(group: str, admin_user: Any) -> None:
    client, before = member_of(group), everything()

    for name, row, action in actions(admin_user):
        chosen = {"action": action, "_selected_action": [str(row.pk)], "index": "0"}
        page = client.post(action_page(row, action), {"confirmation": "x"})
        on_list = client.post(base_of(type(row)), chosen | {"confirmation": "x"})

        assert page.status_code == (302 if name in MAY[group] else 403), name
        assert on_list.status_code in {200, 302, 403}, name
    assert everything() == before


@pytest.mark.parametrize("group", [pytest.param("Integration auditor", marks=pytest.mark.slow), "Integration support"])
def test_a_group_that_may_not_configure_changes_nothing_on_any_page(group: str) -> None:
    client, before = member_of(group), everything()
    form = filled_in() | {"integrated_channels_channelconfiguration_save_and_sync": "", "post": "yes"}

    for page in pages():
        for data in ({}, {"post": "yes", "configuration": "1"}, form):
            assert client.post(page, data).status_code < 500, page
        assert everything() == before, page


@pytest.mark.parametrize("button", ["save_and_sync", "first-sync"])
def test_a_user_who_may_only_edit_a_configuration_cannot_start_its_syncs(button: str) -> None:
    client = member_of("Integration operator")
    group = client.get("/admin/").context["user"].groups.get()
    group.permissions.remove(group.permissions.get(codename="operate_configurations"))
    configuration = ChannelConfiguration.objects.get(channel_code="MOODLE")
    ChannelConfiguration.objects.update(active=button != "first-sync")
    page = f"{base_of(ChannelConfiguration)}{configuration.pk}/"

    if button == "first-sync":
        client.post(f"{page}first-sync/")
    else:
        pressed = {f"integrated_channels_channelconfiguration_{button}": ""}
        client.post(f"{page}change/", filled_in(display_name="Renamed", skip_customer_check="on") | pressed)

    configuration.refresh_from_db()
    assert configuration.active == (button != "first-sync")
    assert not Decision.objects.filter(action__in=("sync_now", "resume")).exists()
