"""Hides staff's names and texts from customers: only callers with a role for all customers see them.

A customer's admin sees the decisions on the customer's configurations, but not which member of staff made them, or why.
Callers see their own names and texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from django.db.models import Model
from rest_framework import serializers

from enterprise_catalog.integrated_channels.api.permissions import admin_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rest_framework.request import Request

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.reporting.export import Record

M = TypeVar("M", bound=Model)

#: Stands for the names of other users.
SUPPORT: Final = "Support"


class PrivateSerializer(serializers.ModelSerializer[M]):
    """Serializer of rows with the name of a user, and with that user's text in ``reason``.

    The context must contain the request.
    """

    user_field: ClassVar[str]  #: The field with the user's name.

    def to_representation(self, instance: M) -> Record:
        data: Record = super().to_representation(instance)
        request: Request = self.context["request"]
        if may_see_words_of(data[self.user_field], request):
            return data
        return data | {self.user_field: SUPPORT, "reason": ""}


def may_see_words_of(user_name: str, request: Request) -> bool:
    """Return True if the caller may see this user's name and texts."""
    return admin_scope(request).is_unlimited or user_name == request.user.get_username()


def without_pause_reasons(
    configurations: Iterable[ChannelConfiguration], request: Request
) -> list[ChannelConfiguration]:
    """Return the configurations; without the reasons for their pauses unless the caller may see all users' texts."""
    found = list(configurations)
    if not admin_scope(request).is_unlimited:
        for configuration in found:
            configuration.pause_reason = ""
    return found


def hide_users(records: Iterable[Record], request: Request) -> Iterator[Record]:
    """Yield the records; those of decisions without the names and texts that the caller may not see."""
    for record in records:
        is_shown = "made_by" not in record or may_see_words_of(record["made_by"], request)
        yield record if is_shown else record | {"made_by": SUPPORT, "reason": ""}
