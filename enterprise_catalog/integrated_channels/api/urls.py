"""The URLs of the channels' API, below ``api/v1/integrated-channels/``."""

from django.urls import path

from enterprise_catalog.integrated_channels.api.views.configurations import (
    ConfigurationDetailView,
    ConfigurationListView,
)
from enterprise_catalog.integrated_channels.api.views.records import (
    AttemptListView,
    RunDetailView,
    RunListView,
    TransmissionDetailView,
    TransmissionListView,
)

app_name = "channels-v1"

urlpatterns = [
    path("configurations/", ConfigurationListView.as_view(), name="configuration-list"),
    path("configurations/<int:pk>/", ConfigurationDetailView.as_view(), name="configuration-detail"),
    path("runs/", RunListView.as_view(), name="run-list"),
    path("runs/<int:pk>/", RunDetailView.as_view(), name="run-detail"),
    path("transmissions/", TransmissionListView.as_view(), name="transmission-list"),
    path("transmissions/<int:pk>/", TransmissionDetailView.as_view(), name="transmission-detail"),
    path("attempts/", AttemptListView.as_view(), name="attempt-list"),
]
