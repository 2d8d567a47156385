"""The URLs of Open edX's integrated channels, below the prefixes of both plug-ins."""

from __future__ import annotations

from django.urls import URLPattern, include, path

from enterprise_catalog.integrated_channels.api.open_edx.configurations import (
    ChannelConfigurationsView,
    ChannelConfigurationView,
    ConfigurationsOfCustomerView,
    GlobalConfigurationView,
    HealthView,
)
from enterprise_catalog.integrated_channels.api.open_edx.sync_status import (
    ContentSyncStatusView,
    LearnerSyncStatusView,
)

_ROW = "<uuid:customer>/<str:code>/<int:pk>"


def _patterns(*, is_old: bool) -> list[URLPattern]:
    """Return the URLs of the old or the new plug-in."""
    return [
        path("configs/", ConfigurationsOfCustomerView.as_view(is_old=is_old)),
        # Callers of Open edX omit the final slash of these two.
        *(path(f"configs/health-check{slash}", HealthView.as_view(is_old=is_old)) for slash in ("", "/")),
        *(
            path(f"logs/content_sync_status/{_ROW}{slash}", ContentSyncStatusView.as_view(is_old=is_old))
            for slash in ("", "/")
        ),
        *(
            path(f"logs/learner_sync_status/{_ROW}{slash}", LearnerSyncStatusView.as_view(is_old=is_old))
            for slash in ("", "/")
        ),
        path("blackboard/global-configuration/", GlobalConfigurationView.as_view(is_old=is_old)),
        path("<slug:channel>/configuration/", ChannelConfigurationsView.as_view(is_old=is_old)),
        path("<slug:channel>/configuration/<int:pk>/", ChannelConfigurationView.as_view(is_old=is_old)),
    ]


urlpatterns = [
    path("integrated_channels/api/v1/", include(_patterns(is_old=True))),
    path("channel_integrations/api/v1/", include(_patterns(is_old=False))),
]
