"""Client of the Open edX LMS: the only module that contains its URLs. Reads customers."""

from __future__ import annotations

import time
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlencode

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enterprise_catalog.service_client.client import Service, ServiceClient
from enterprise_catalog.service_client.exceptions import NotConfiguredError, UnreadableResponseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

_LMS: Final = Service(
    name="The Open edX LMS",
    setting="LMS_BASE_URL",
    remedies={
        HTTPStatus.UNAUTHORIZED: "It rejected the token. OAUTH2_PROVIDER_URL must name this LMS.",
        HTTPStatus.FORBIDDEN: "The user of the client OAUTH2_CLIENT_ID needs access to enterprise customers.",
        HTTPStatus.NOT_FOUND: "Check LMS_BASE_URL. The LMS needs the plug-in edx-enterprise.",
        HTTPStatus.TOO_MANY_REQUESTS: "Raise the rate limit of OAUTH2_CLIENT_ID's user if this happens often.",
    },
)


class LMSCustomer(BaseModel):
    """A customer, as the LMS returns it. Other members are ignored."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    name: str = Field(min_length=1, max_length=255)
    slug: str = Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=100)
    enable_learner_portal: bool
    modified: datetime | None = None


class _Page(BaseModel):
    results: list[dict[str, object]]


def is_configured() -> bool:
    """Return True if the settings name an LMS and a client."""
    return bool(settings.LMS_BASE_URL and settings.OAUTH2_PROVIDER_URL and settings.OAUTH2_CLIENT_ID)


class LMSClient:
    """Client of the LMS. Use it as a context manager, in one thread."""

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Create a client. Sends nothing yet.

        Args:
            sleep: called to wait before another attempt.

        Raises:
            NotConfiguredError: ``LMS_BASE_URL`` or the client is not set.
        """
        if not is_configured():
            raise NotConfiguredError("LMS_BASE_URL and the OAUTH2_… settings are not set, so there is no LMS to read.")
        self._client = ServiceClient(_LMS, sleep=sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def find_customer(self, customer_uuid: UUID) -> LMSCustomer | None:
        """Return the customer with this UUID, or ``None`` if the LMS has no such customer.

        Raises:
            ServiceError: the LMS could not be used, or its response cannot be read.
        """
        query = urlencode({"uuid": customer_uuid})
        url = f"{settings.LMS_BASE_URL}/enterprise/api/v1/enterprise-customer/?{query}"
        response = self._client.request("GET", url)
        try:
            found = _Page.model_validate(response).results
            # An LMS that ignores the parameter returns other customers.
            mine = next((each for each in found if str(each.get("uuid")).lower() == str(customer_uuid)), None)
            return LMSCustomer.model_validate(mine) if mine else None
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the body"
            message = f"The Open edX LMS returned customer {customer_uuid} with an invalid value at {place}."
            raise UnreadableResponseError(message) from error
