"""The read-only page of OAuth2 clients. ``create_client`` creates a client; deactivating its user disables it.

django-oauth-toolkit's own pages would show secrets and tokens.
"""

from __future__ import annotations

from django.contrib import admin
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from enterprise_catalog.admin_pages.pages import ReadOnlyPage

for _model in (
    get_access_token_model(),
    get_application_model(),
    get_grant_model(),
    get_id_token_model(),
    get_refresh_token_model(),
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(get_application_model())
class ClientPage(ReadOnlyPage):
    """A client without its secret. Its roles are those of its user, under **Role assignments**."""

    list_display = ("client_id", "name", "user", "created")
    list_prefetch_related = ("user",)
    ordering = ("client_id",)
    search_fields = ("client_id", "name")
    fields = ("client_id", "name", "user", "created", "updated")
