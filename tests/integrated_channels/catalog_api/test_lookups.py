"""The client's look-up of one content key."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.catalog_api.lookups import Match
from tests.factories import DAY_ONE
from tests.integrated_channels.scripted_catalog import served

if TYPE_CHECKING:
    from pytest_django import Settings

CUSTOMER = UUID(int=7)
CATALOG = UUID(int=1)


def test_a_look_up_returns_the_catalogs_and_the_suggestions(settings: Settings) -> None:
    suggestion = {
        "content_key": "edX+A",
        "title": "A",
        "content_type": "course",
        "match": "case",
        "catalogs": [str(CATALOG)],
    }
    response = {
        "enterprise_customer": str(CUSTOMER),
        "content_key": "edx+a",
        "is_known": True,
        "title": "a",
        "content_type": "course",
        "updated_at": DAY_ONE.isoformat(),
        "catalogs": [{"uuid": str(CATALOG), "title": "All", "contains": True}],
        "suggestions": [suggestion],
    }
    with served() as (service, url):
        settings.CATALOG_API_URL, settings.OAUTH2_PROVIDER_URL = url, f"{url}/oauth2"
        service.answers["content-lookup"] = [response]

        with CatalogClient() as client:
            found = client.look_up(CUSTOMER, " edx+a")

    assert service.requests[-1].args.to_dict() == {"enterprise_customer": str(CUSTOMER), "content_key": " edx+a"}
    assert found.containing == {CATALOG}
    assert found.updated_at == DAY_ONE
    assert found.suggestions[0].match is Match.CASE
