"""Parses roles in command-line arguments: ``ROLE:CUSTOMER_UUID``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from uuid import UUID

from django.conf import settings


def role_argument(text: str) -> tuple[str, UUID | None]:
    """Return the role and its customer; ``None`` means all customers, and stands for ``*`` or a missing customer.

    Raises:
        ArgumentTypeError: the role does not exist, or the customer is not a UUID.
    """
    name, _, context = text.partition(":")
    if name not in settings.SYSTEM_TO_FEATURE_ROLE_MAPPING:
        raise ArgumentTypeError(
            f"unknown role {name!r}; must be one of {', '.join(settings.SYSTEM_TO_FEATURE_ROLE_MAPPING)}"
        )
    if context in ("", "*"):
        return name, None
    try:
        return name, UUID(context)
    except ValueError:
        raise ArgumentTypeError(f"{context!r} is neither a customer's UUID nor *") from None
