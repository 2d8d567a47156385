"""OAuth authorization at an LMS: a staff member starts it, and the LMS redirects back with a code.

The ``state`` parameter is signed, expires after 10 minutes, and is bound to the session of the user who started.
Otherwise an attacker could have their own code stored for another customer's configuration.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from enterprise_catalog.integrated_channels.access import connections
from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STATE_SECONDS: Final = 600
_SALT: Final = "integrated_channels.consent"
_SESSION_KEY: Final = "channel_consent"


@staff_member_required
@require_GET
def authorize(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect a staff member who may change the configuration to the LMS, to grant access."""
    configuration = _configuration(request, pk)
    nonce = request.session[_SESSION_KEY] = secrets.token_urlsafe()
    state = signing.dumps([pk, nonce], salt=_SALT)
    try:
        url = connections.authorization_url(
            configuration, redirect_uri=_redirect_uri(request), state=state, clock=timezone.now
        )
    except SyncError as error:
        messages.error(request, error.message)
        return redirect(_page(pk))
    return redirect(url)


@staff_member_required
@require_GET
def complete(request: HttpRequest) -> HttpResponse:
    """Redeem the code from the LMS, and redirect to the configuration's page with the result.

    A request with another ``state`` than the pending authorization changes nothing: the pending one can still be
    completed.
    """
    pk = _pending(request)
    if pk is None:
        messages.error(request, gettext("This authorization request is unknown or has expired. Please start again."))
        return redirect("admin:integrated_channels_channelconfiguration_changelist")
    del request.session[_SESSION_KEY]
    configuration = _configuration(request, pk)
    code = request.GET.get("code", "")
    if not code:
        reason = (
            request.GET.get("error_description")
            or request.GET.get("error")
            or gettext("it returned no authorization code")
        )
        messages.error(request, gettext("The LMS did not grant access: %(reason)s") % {"reason": reason[:300]})
        return redirect(_page(pk))
    try:
        connections.redeem(configuration, code, redirect_uri=_redirect_uri(request), clock=timezone.now)
    except SyncError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("The LMS granted access. The next sync uses the new credentials."))
    return redirect(_page(pk))


def _pending(request: HttpRequest) -> int | None:
    """Return the id of the configuration that this session is authorizing; ``None`` if ``state`` does not match."""
    try:
        pk, nonce = signing.loads(request.GET.get("state", ""), salt=_SALT, max_age=STATE_SECONDS)
    except signing.BadSignature:
        return None
    expected: str = request.session.get(_SESSION_KEY, "")
    return int(pk) if expected and secrets.compare_digest(str(nonce), expected) else None


def _configuration(request: HttpRequest, pk: int) -> ChannelConfiguration:
    if not request.user.has_perm("integrated_channels.change_channelconfiguration"):
        raise PermissionDenied
    return get_object_or_404(ChannelConfiguration.objects.not_deleted(), pk=pk)


def _redirect_uri(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("channel-consent-complete"))


def _page(pk: int) -> str:
    return reverse("admin:integrated_channels_channelconfiguration_change", args=[pk])
