"""The URLs of the channels' API, below ``api/v1/integrated-channels/``."""

from django.urls import path

from enterprise_catalog.integrated_channels.api.views.actions import ACTIONS
from enterprise_catalog.integrated_channels.api.views.configurations import (
    ConfigurationDetailView,
    ConfigurationListView,
)
from enterprise_catalog.integrated_channels.api.views.diagnosis import DiagnosisView
from enterprise_catalog.integrated_channels.api.views.operations import (
    STARTING,
    OperationDetailView,
    OperationItemsView,
)
from enterprise_catalog.integrated_channels.api.views.overview import OverviewView
from enterprise_catalog.integrated_channels.api.views.records import LISTS, RunDetailView, TransmissionDetailView
from enterprise_catalog.integrated_channels.api.views.subscriptions import (
    SubscriptionDetailView,
    SubscriptionListView,
    TestMessageView,
)

app_name = "channels-v1"

_CONFIGURATION = "configurations/<int:pk>/"

urlpatterns = [
    path("configurations/", ConfigurationListView.as_view(), name="configuration-list"),
    path(_CONFIGURATION, ConfigurationDetailView.as_view(), name="configuration-detail"),
    *(path(f"{_CONFIGURATION}{name}/", view.as_view(), name=name) for name, view in {**ACTIONS, **STARTING}.items()),
    path("overview/", OverviewView.as_view(), name="overview"),
    path("operations/<int:pk>/", OperationDetailView.as_view(), name="operation-detail"),
    path("operations/<int:pk>/items/", OperationItemsView.as_view(), name="operation-items"),
    path("diagnosis/", DiagnosisView.as_view(), name="diagnosis"),
    *(path(f"{name}/", views.page.as_view(), name=name) for name, views in LISTS.items()),
    *(path(f"{name}/export.csv", views.export.as_view(), name=f"{name}-export") for name, views in LISTS.items()),
    path("subscriptions/", SubscriptionListView.as_view(), name="subscription-list"),
    path("subscriptions/<int:pk>/", SubscriptionDetailView.as_view(), name="subscription-detail"),
    path("subscriptions/<int:pk>/test/", TestMessageView.as_view(), name="subscription-test"),
    path("runs/<int:pk>/", RunDetailView.as_view(), name="run-detail"),
    path("transmissions/<int:pk>/", TransmissionDetailView.as_view(), name="transmission-detail"),
]
