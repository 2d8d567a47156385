"""The deletion of selected rows. Replaces Django's action, whose form fails with more than 1,000 rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.contrib import admin
from django.core.exceptions import PermissionDenied

from enterprise_catalog.admin_pages.actions.declaration import Effects, Result, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.confirmation import Key
    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin


def _effects(page: AnyAdmin, request: HttpRequest, keys: Sequence[Key]) -> Effects:
    """Return the numbers of other tables' rows that are deleted too, and the obstacles to the deletion."""
    rows = page.get_queryset(request).filter(pk__in=keys)
    _, numbers, lacking, protected = page.get_deleted_objects(rows, request)
    others = {name: number for name, number in numbers.items() if name != page.opts.verbose_name_plural}
    consequences = [f"Also deleted: {name} ({number:,})." for name, number in sorted(others.items())]
    obstacles = [
        f"You do not have permission to delete {name}, which would also be deleted."
        for name in sorted(map(str, lacking))
    ]
    if protected:
        names = ", ".join(map(str, protected[:5]))
        number = len(protected)
        refer = "1 protected row refers" if number == 1 else f"{number:,} protected rows refer"
        obstacles.append(f"{refer} to these rows: {names}{', …' if number > 5 else ''}.")
    return Effects(tuple(consequences), tuple(obstacles))


@runs(max_rows=10_000, effects=_effects)
@admin.action(description="Delete selected %(verbose_name_plural)s", permissions=["delete"])
def delete_selected(page: AnyAdmin, request: HttpRequest, queryset: QuerySet[Model]) -> Result:
    """Delete the rows, and the rows that refer to them and are deleted with them.

    Raises:
        PermissionDenied: an obstacle has appeared since the confirmation.
    """
    _, _, lacking, protected = page.get_deleted_objects(queryset, request)
    if lacking or protected:
        raise PermissionDenied
    number = queryset.count()
    page.log_deletions(request, queryset)
    page.delete_queryset(request, queryset)
    return Result(Counter({"deleted": number}))
