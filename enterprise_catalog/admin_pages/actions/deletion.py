"""The deletion of selected rows. Replaces Django's action, whose form fails with more than 1,000 rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

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
    consequences = [
        gettext("Also deleted: %(name)s (%(number)s).") % {"name": name, "number": f"{number:,}"}
        for name, number in sorted(others.items())
    ]
    obstacles = [
        gettext("You do not have permission to delete %(name)s, which would also be deleted.") % {"name": name}
        for name in sorted(map(str, lacking))
    ]
    if protected:
        names = ", ".join(map(str, protected[:5]))
        number = len(protected)
        sentence = ngettext(
            "%(number)s protected row refers to these rows: %(names)s.",
            "%(number)s protected rows refer to these rows: %(names)s.",
            number,
        )
        obstacles.append(sentence % {"number": f"{number:,}", "names": f"{names}, …" if number > 5 else names})
        if advice := getattr(page, "deletion_advice", ""):
            obstacles.append(str(advice))
    return Effects(tuple(consequences), tuple(obstacles))


@runs(max_rows=10_000, effects=_effects, is_logged=False)
@admin.action(description=_("Delete selected %(verbose_name_plural)s"), permissions=["delete"])
def delete_selected(page: AnyAdmin, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
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
    return Result(Counter({gettext("deleted"): number}))
