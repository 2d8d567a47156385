"""The URLs of the programs that this deployment runs."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from enterprise_catalog.observability.health import health, metrics
from enterprise_catalog.web.final_slash import with_final_slash

urlpatterns: list[URLPattern | URLResolver] = []
if apps.is_installed("enterprise_catalog.api"):  # First: few patterns are then tried for a diff.
    urlpatterns.append(path("", include("enterprise_catalog.api.urls")))
urlpatterns += [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
    path("health", health),  # The Open edX LMS requests it without the final slash.
    path("metrics", metrics, name="metrics"),
    path("", include("enterprise_catalog.web.rest.urls")),
]
if apps.is_installed("enterprise_catalog.integrated_channels"):
    urlpatterns += [
        path("integrated-channels/", include("enterprise_catalog.integrated_channels.urls")),
        path("api/v1/integrated-channels/", include("enterprise_catalog.integrated_channels.api.urls")),
        path("", include("enterprise_catalog.integrated_channels.api.open_edx.urls")),
    ]
if apps.is_installed("enterprise_catalog.local_auth"):
    urlpatterns.append(path("oauth2/", include("enterprise_catalog.local_auth.urls")))
# The last pattern: it costs the others nothing.
urlpatterns.append(re_path(r"^.*[^/]$", with_final_slash))
