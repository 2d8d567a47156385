"""The throttle of failed logins: django-axes counts them by user name and client address, for all processes.

A browser in which a user has logged in before carries a signed cookie and is counted separately. Failures by others
under the same name, even from the same address, do not lock the user out of this browser.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Final

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from enterprise_catalog.db.contention import REQUEST_SECONDS, retry
from enterprise_catalog.web.client_address import client_network

if TYPE_CHECKING:
    from datetime import timedelta

    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest, HttpResponse

    class _Login(HttpRequest):
        """A login request, with the attributes that axes and :func:`_recognize` set."""

        axes_locked_out: bool
        axes_ip_address: str | None
        axes_user_agent: str
        known_device: str


#: The cookie of a browser in which a user has logged in.
DEVICE_COOKIE: Final = "known_device"
DEVICE_SECONDS: Final = 90 * 24 * 3_600
_SALT: Final = "admin_pages.known_device"
#: The most expired rows that one failed login removes.
_REMOVED_AT_ONCE: Final = 1_000


class LoginBackend(AxesStandaloneBackend):
    """Rejects throttled logins. Calls from commands, which have no request, are not throttled."""

    def authenticate(self, request: _Login | None, *args: object, **credentials: object) -> None:
        if request is not None:
            super().authenticate(request, *args, **credentials)


class LoginHandler(AxesDatabaseHandler):
    """Counts failures in the database, one row per user name and address, or per user name and known browser."""

    def is_allowed(self, request: _Login, credentials: dict[str, object] | None = None) -> bool:
        _recognize(request, credentials)
        return bool(super().is_allowed(request, credentials))

    def user_login_failed(
        self, sender: object, credentials: dict[str, object], request: _Login | None = None, **kwargs: object
    ) -> None:
        if request is None:
            return
        _recognize(request, credentials)
        count = super().user_login_failed
        if not request.axes_locked_out:
            _make_row(request, credentials)
        retry(lambda: count(sender, credentials, request, **kwargs), seconds=REQUEST_SECONDS)

    def clean_expired_user_attempts(
        self, request: _Login | None = None, credentials: dict[str, object] | None = None
    ) -> int:
        """Remove expired rows by their keys: a DELETE by time would lock the whole table on MariaDB."""
        expired = AccessAttempt.objects.filter(attempt_time__lte=timezone.now() - get_cool_off(request))
        keys = list(expired.order_by("pk").values_list("pk", flat=True)[:_REMOVED_AT_ONCE])
        rows = AccessAttempt.objects.filter(pk__in=keys)
        removed, _ = retry(rows.delete, seconds=REQUEST_SECONDS)
        return int(removed)


def address(request: HttpRequest) -> str:
    """Return the client's address for axes. IPv6: the first address of the network; ``::`` if there is no address."""
    return client_network(request).partition("/")[0] or "::"


def client_in_logs(_username: str | None, address: str, *_others: object) -> str:
    """Return only the address: the submitted user name may be an email address, or a password."""
    return address


def lockout_parameters(request: object, _credentials: dict[str, object] | None = None) -> list[list[str]]:
    """Return the columns that failures are counted by. axes calls this with a request or with a row."""
    return [["username", "user_agent"]] if getattr(request, "known_device", "") else [["username", "ip_address"]]


def too_many_failures(
    request: _Login, _original: HttpResponse | None, credentials: dict[str, object] | None
) -> HttpResponse:
    """Return the page with status 429 and the waiting time; ``Retry-After`` contains it in seconds."""
    seconds = _seconds_to_wait(request, credentials)
    minutes = math.ceil(seconds / 60)
    again = ngettext("Try again in %(minutes)d minute.", "Try again in %(minutes)d minutes.", minutes)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Too many failed logins"),
        "message": f"{gettext('Too many failed logins for this user name.')} {again % {'minutes': minutes}}",
    }
    response = TemplateResponse(request, "admin_pages/error_before_login.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response.render()


def remember_device(response: HttpResponse, user: AbstractBaseUser, *, is_secure: bool) -> None:
    """Set the cookie that identifies this browser; from now on, its failures are counted separately."""
    response.set_signed_cookie(
        DEVICE_COOKIE,
        f"{secrets.token_hex(8)} {user.get_username()}",
        salt=_SALT,
        max_age=DEVICE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=is_secure,
    )


def _recognize(request: _Login, credentials: dict[str, object] | None) -> None:
    """Replace the user agent, which any client can set, by the browser's id from the cookie; empty if unknown."""
    cookie = request.get_signed_cookie(DEVICE_COOKIE, "", salt=_SALT, max_age=DEVICE_SECONDS)
    device, _, username = (cookie or "").partition(" ")
    is_known = bool(device) and username == get_client_username(request, credentials)
    request.known_device = request.axes_user_agent = device if is_known else ""


def _make_row(request: _Login, credentials: dict[str, object]) -> None:
    """Insert the row that axes counts in: two logins that lock the gap of a missing row would block each other."""
    username = get_client_username(request, credentials)
    keys = {"username": username, "ip_address": request.axes_ip_address, "user_agent": request.axes_user_agent}
    row = AccessAttempt(**keys, failures_since_start=0)
    retry(lambda: AccessAttempt.objects.bulk_create([row], ignore_conflicts=True), seconds=REQUEST_SECONDS)


def _seconds_to_wait(request: _Login, credentials: dict[str, object] | None) -> int:
    """Return the seconds until the failures expire; at least 1."""
    tables = LoginHandler().get_user_attempts(request, credentials)
    times = [time for rows in tables for time in rows.values_list("attempt_time", flat=True)]
    pause: timedelta = get_cool_off(request)
    left = max(times, default=timezone.now()) + pause - timezone.now()
    return max(1, math.ceil(min(left, pause).total_seconds()))
