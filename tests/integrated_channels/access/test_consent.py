"""Consent: a user authorizes a configuration on the LMS's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import signing
from django.utils import timezone

from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.channels import registry
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, ConsentingChannel
from enterprise_catalog.integrated_channels.exceptions import CredentialsError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.integrated_channels.fake_lms import FakeLMS, FakeLMSChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCustomer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]


class LibraryCredentials(ChannelSettings):
    refresh_token: str = ""


class LibraryChannel(ConsentingChannel, FakeLMSChannel):
    """An LMS that requires a user's consent."""

    code = "LIBRARY"
    credentials_class: ClassVar[type[ChannelSettings]] = LibraryCredentials

    def __init__(self, client: Any, settings: Any, credentials: Any) -> None:
        super().__init__(FakeLMS())
        self.client, self.settings, self.credentials = client, settings, credentials

    is_authorized = True

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        return "https://library.test/consent?" + urlencode({"redirect_uri": redirect_uri, "state": state})

    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        if (code, redirect_uri) != ("good", "http://testserver/integrated-channels/oauth-complete/"):
            raise CredentialsError("The library does not know the code.")
        return {"refresh_token": "fresh"}


@pytest.fixture
def library(customer: EnterpriseCustomer, monkeypatch: pytest.MonkeyPatch) -> ChannelConfiguration:
    monkeypatch.setitem(registry.CHANNELS, "LIBRARY", LibraryChannel)
    return ChannelConfiguration.objects.create(
        channel_code="LIBRARY",
        enterprise_customer_uuid=customer.pk,
        base_url="https://library.test",
        credentials=encrypt({}),
    )


def begun(client: Client, configuration: ChannelConfiguration) -> str:
    """Start an authorization. Return its ``state``."""
    answer = client.get(f"/integrated-channels/authorize/{configuration.pk}/")
    place = urlsplit(answer["Location"])
    assert place.netloc == "library.test"
    return parse_qs(place.query)["state"][0]


def ended(client: Client, **query: str) -> str:
    """Follow the LMS's redirect back to us. Return the page that is displayed."""
    return client.get("/integrated-channels/oauth-complete/", query, follow=True).content.decode()


def test_a_user_authorizes_the_configuration(library: ChannelConfiguration, admin_client: Client) -> None:
    page = f"/admin/integrated_channels/channelconfiguration/{library.pk}/change/"
    assert f"/integrated-channels/authorize/{library.pk}/" in admin_client.get(page).content.decode()

    shown = ended(admin_client, code="good", state=begun(admin_client, library))

    assert "The LMS granted access." in shown
    library.refresh_from_db()
    assert decrypt(library.credentials) == {"refresh_token": "fresh"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"code": "bad"}, "The library does not know the code."),
        ({"error": "access_denied"}, "The LMS did not grant access: access_denied"),
        ({"error": "x", "error_description": "Not today"}, "did not grant access: Not today"),
        ({}, "it returned no authorization code"),
    ],
)
def test_the_reason_of_a_failed_authorization_is_shown(
    library: ChannelConfiguration, admin_client: Client, query: dict[str, str], expected: str
) -> None:
    assert expected in ended(admin_client, state=begun(admin_client, library), **query)

    library.refresh_from_db()
    assert decrypt(library.credentials) == {}


def test_a_state_that_is_not_ours_is_refused(
    library: ChannelConfiguration, admin_client: Client, client: Client, django_user_model: Any
) -> None:
    django_user_model.objects.create_superuser("other", password="x")
    client.login(username="other", password="x")
    state = begun(admin_client, library)
    foreign = signing.dumps([library.pk, "x"], salt="another")

    for shown in (
        ended(client, code="good", state=state),  # Started by another user.
        ended(admin_client, code="good", state=foreign),
        ended(admin_client, code="good"),
    ):
        assert "This authorization request is unknown or has expired." in shown
    library.refresh_from_db()
    assert decrypt(library.credentials) == {}


def test_a_request_with_another_state_leaves_the_pending_consent_alone(
    library: ChannelConfiguration, admin_client: Client
) -> None:
    used = begun(admin_client, library)
    ended(admin_client, code="bad", state=used)
    state = begun(admin_client, library)

    for junk in ({}, {"state": ""}, {"state": "junk"}, {"code": "bad", "state": state[:-1]}, {"state": used}):
        assert "This authorization request is unknown" in ended(admin_client, **{"error": "access_denied", **junk})

    assert "The LMS granted access." in ended(admin_client, code="good", state=state)


def test_a_state_is_good_for_ten_minutes(
    library: ChannelConfiguration, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enterprise_catalog.integrated_channels.access.consent.STATE_SECONDS", -1)

    assert "This authorization request is unknown or has expired." in ended(
        admin_client, code="good", state=begun(admin_client, library)
    )


def test_a_state_is_good_once(library: ChannelConfiguration, admin_client: Client) -> None:
    state = begun(admin_client, library)
    ended(admin_client, code="good", state=state)

    assert "This authorization request is unknown or has expired." in ended(admin_client, code="good", state=state)


def test_only_staff_who_may_change_it_begin(
    library: ChannelConfiguration, client: Client, django_user_model: Any
) -> None:
    address = f"/integrated-channels/authorize/{library.pk}/"
    assert client.get(address).status_code == 302  # To the login page.
    django_user_model.objects.create_user("staff", password="x", is_staff=True)
    client.login(username="staff", password="x")

    assert client.get(address).status_code == 403


def test_a_deleted_configuration_cannot_be_authorized(library: ChannelConfiguration, admin_client: Client) -> None:
    state = begun(admin_client, library)
    delete_configuration(library, by="ada", now=timezone.now())

    responses = [
        admin_client.get(f"/integrated-channels/authorize/{library.pk}/"),
        admin_client.get("/integrated-channels/oauth-complete/", {"code": "c", "state": state}),
    ]

    assert [response.status_code for response in responses] == [404, 404]


def test_a_channel_without_consent_reports_it(configuration: ChannelConfiguration, admin_client: Client) -> None:
    shown = admin_client.get(f"/integrated-channels/authorize/{configuration.pk}/", follow=True).content.decode()

    assert "Moodle needs no authorization. Enter its credentials instead." in shown
