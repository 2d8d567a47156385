"""Admin filter by channel, for tables whose rows belong to configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import F

from enterprise_catalog.admin_pages.lists.filters import ChoicesDropdownFilter
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

#: Maximum number of configurations to look up in the index one by one. With more, matching rows are everywhere.
FEW: Final = 100


class ChannelFilter(ChoicesDropdownFilter):
    """Only the rows of one channel's configurations. The field's path ends with ``configuration__channel_code``.

    With a join, or with a long list that can use an index, MariaDB would collect and sort all rows of a channel for one
    page. ``+ 0`` prevents the use of the index, so MariaDB reads the rows in the order of the list.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        codes = [code for code in self.lookup_val or () if code]  # The form sends an empty value for all channels.
        if not codes:
            return queryset
        configurations = ChannelConfiguration.objects.filter(channel_code__in=codes)
        ids = list(configurations.values_list("pk", flat=True))
        column = f"{self.field_path.removesuffix('__channel_code')}_id"
        if len(ids) <= FEW:
            return queryset.filter((f"{column}__in", ids))
        computed: QuerySet[Model] = queryset.alias(of_configuration=F(column) + 0)
        return computed.filter(of_configuration__in=ids)
