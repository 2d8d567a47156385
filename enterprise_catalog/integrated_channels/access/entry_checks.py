"""Checks of a new configuration against existing configurations and customers."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext
from pydantic import ValidationError

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Short, because a person is waiting and the response is small.
_READ_TIMEOUT_SECONDS: Final = 10


def find_customer_problems(configuration: ChannelConfiguration) -> list[str]:
    """Return the problems of the configuration's customer and catalogs. Asks the catalog service.

    Returns:
        One sentence per problem; an empty list if the catalog service has the customer and the catalogs.

    Raises:
        CatalogUnavailableError: the catalog service gave no usable response.
    """
    customer = configuration.enterprise_customer_uuid
    with CatalogClient(read_timeout_seconds=_READ_TIMEOUT_SECONDS) as catalog:
        try:
            known = {str(uuid) for uuid in catalog.list_catalogs(customer).uuids}
        except CatalogUnavailableError as error:
            if error.status_code != 404:
                raise
            text = gettext("The catalog service at %(url)s has no customer %(customer)s. Check the UUID.")
            return [text % {"url": settings.CATALOG_API_URL, "customer": customer}]
    unknown = sorted(set(configuration.catalog_uuids) - known)
    text = gettext("Customer %(customer)s has no catalog %(catalog)s. Check the UUID.")
    return [text % {"customer": customer, "catalog": uuid} for uuid in unknown]


def find_twin_problems(configuration: ChannelConfiguration) -> list[str]:
    """Return one sentence for each configuration that sends the same catalogs to the same target in the same LMS.

    Credentials are not compared: two accounts of one LMS write to the same courses. Inactive configurations are
    included, because they can be activated. Deleted ones are not: a user cannot edit them.
    """
    others = ChannelConfiguration.objects.not_deleted().filter(
        channel_code=configuration.channel_code, enterprise_customer_uuid=configuration.enterprise_customer_uuid
    )
    text = gettext(
        "Configuration %(id)d already syncs the same catalogs to %(url)s with the same settings. "
        "Edit that configuration, or choose other settings or catalogs."
    )
    return [
        text % {"id": other.pk, "url": other.base_url}
        for other in others.order_by("pk")
        if _target(other) == _target(configuration)
    ]


def _target(configuration: ChannelConfiguration) -> tuple[object, ...]:
    catalogs = {str(uuid).lower() for uuid in configuration.catalog_uuids}
    return _address(configuration.base_url), _settings_with_defaults(configuration), catalogs


def _address(base_url: str) -> tuple[str, str, str]:
    """Return the parts of ``base_url`` that identify the target: scheme and host in lower case, no final slash."""
    parts = urlsplit(base_url)
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/")


def _settings_with_defaults(configuration: ChannelConfiguration) -> object:
    try:
        return CHANNELS[configuration.channel_code].settings_class.model_validate(configuration.settings)
    except ValidationError:
        return configuration.settings  # From an older version; never equal to valid settings.
