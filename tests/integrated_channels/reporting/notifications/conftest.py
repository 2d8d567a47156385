"""Fixtures: a mail server and an HTTP receiver on the loopback interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integrated_channels.reporting.notifications.receivers import running_http_receiver, running_mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver, MailServer


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A mail server; the settings point to it."""
    with running_mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        settings.DEFAULT_FROM_EMAIL = "Catalog <catalog@example.org>"
        settings.ADMIN_BASE_URL = "https://admin.example.org"
        yield server


@pytest.fixture
def receiver() -> Iterator[HTTPReceiver]:
    """An HTTP receiver."""
    with running_http_receiver() as receiver:
        yield receiver
