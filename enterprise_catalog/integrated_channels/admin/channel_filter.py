"""The filter by channel of tables that belong to configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import F

from enterprise_catalog.admin_pages.filters import ChoicesDropdownFilter
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

#: Up to so many configurations are looked up in the index one by one; of more there are rows everywhere.
FEW: Final = 100


class ChannelFilter(ChoicesDropdownFilter):
    """Only the rows of one channel's configurations; the field's path ends with ``configuration__channel_code``.

    With a join, or with a long list that it may look up in an index, MariaDB would collect all rows of a channel and
    sort them, for one page of them. ``+ 0`` keeps it from the index, so that it reads in the order of the list.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        codes = [code for code in self.lookup_val or () if code]  # The form sends an empty one for all channels.
        if not codes:
            return queryset
        configurations = ChannelConfiguration.objects.filter(channel_code__in=codes)
        ids = list(configurations.values_list("pk", flat=True))
        column = f"{self.field_path.removesuffix('__channel_code')}_id"
        if len(ids) <= FEW:
            return queryset.filter((f"{column}__in", ids))
        computed: QuerySet[Any] = queryset.alias(of_configuration=F(column) + 0)
        return computed.filter(of_configuration__in=ids)
