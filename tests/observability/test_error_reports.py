"""Error reports name variables, parameters and headers, but hide their values."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Final

import pytest
from django.conf import settings
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from enterprise_catalog.observability.error_reports import NamesOnlyFilter

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.test import RequestFactory
    from django.views.debug import ExceptionReporter
    from pytest_django import Settings

SECRET: Final = secrets.token_hex()  # Generated, because reports quote source code.


def fail_with(token: str) -> None:
    raise RuntimeError(f"of {len(token)} characters")


def reports_of(request: HttpRequest) -> str:
    """Return the HTML and text reports of a failure."""
    try:
        fail_with(SECRET)
    except RuntimeError:
        reporter: type[ExceptionReporter] = import_string(settings.DEFAULT_EXCEPTION_REPORTER)
        report = reporter(request, *sys.exc_info())
    return str(report.get_traceback_html()) + str(report.get_traceback_text())


@pytest.mark.parametrize("is_debugged", [True, False])
def test_values_of_variables_parameters_and_headers_are_hidden(
    rf: RequestFactory, settings: Settings, *, is_debugged: bool
) -> None:
    settings.DEBUG = is_debugged
    address = f"https://x.test/?code={SECRET}"
    headers = {"Authorization": f"Basic {SECRET}", "Cookie": f"sessionid={SECRET}", "Referer": address}

    report = reports_of(rf.post(f"/complete/?code={SECRET}", {"client_secret": SECRET}, headers=headers))

    assert SECRET not in report
    assert all(name in report for name in ("of 64 characters", "token", "client_secret", "code", "/complete/"))


def test_a_lazy_setting_is_shown(rf: RequestFactory, settings: Settings) -> None:
    settings.A_LAZY_TEXT = SimpleLazyObject(lambda: "its-text")

    assert "its-text" in reports_of(rf.get("/"))


def test_settings_are_shown_without_passwords_of_addresses(rf: RequestFactory, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = f"redis://worker:{SECRET}@queue.example.org/1"
    settings.SOME_CACHES = {"default": {"LOCATION": [f"rediss://:{SECRET}@cache.example.org"]}}

    report = reports_of(rf.get("/"))

    assert SECRET not in report
    assert f"redis://{NamesOnlyFilter.cleansed_substitute}@queue.example.org/1" in report
    assert str(settings.CREDENTIALS_ENCRYPTION_KEYS[0]) not in report
