"""Filters of lists: unfold's, which replace Django's, and two of our own."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import Field, Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin

    # unfold has no types; its classes are Django's with other templates.
    AutocompleteSelectFilter = admin.RelatedFieldListFilter
    BooleanRadioFilter = admin.BooleanFieldListFilter
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesCheckboxFilter
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesDropdownFilter

    RangeDateFilter = admin.DateFieldListFilter
    UnfoldTextFilter = admin.FieldListFilter
else:
    from unfold.contrib.filters.admin import (
        AutocompleteSelectFilter,
        BooleanRadioFilter,
        ChoicesCheckboxFilter,
        ChoicesDropdownFilter,
        RangeDateFilter,
    )
    from unfold.contrib.filters.admin import FieldTextFilter as UnfoldTextFilter

__all__ = [
    "AutocompleteSelectFilter",
    "BooleanRadioFilter",
    "ChoicesCheckboxFilter",
    "ChoicesDropdownFilter",
    "DayRangeFilter",
    "TextFilter",
]


class DayRangeFilter(RangeDateFilter):
    """Filters a time column by a range of whole days, including the last day, which unfold's filter would exclude."""

    def __init__(
        self,
        field: Field[object, object],
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: AnyAdmin,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = str(field.verbose_name).removesuffix(" at")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        try:
            first, last = self._day("from"), self._day("to")
        except ValueError:
            message = gettext("Enter the dates of “%(title)s” in the format 2026-01-31.") % {"title": self.title}
            messages.error(request, message)
            return queryset.none()
        if first:
            queryset = queryset.filter((f"{self.field_path}__gte", _start_of(first)))
        if last:
            queryset = queryset.filter((f"{self.field_path}__lt", _start_of(last + timedelta(days=1))))
        return queryset

    def _day(self, end: str) -> date | None:
        text = self.used_parameters.get(f"{self.field_path}_{end}")
        if not text:
            return None
        day = parse_date(str(text))
        if day is None:
            raise ValueError(str(text))
        return day


class TextFilter(UnfoldTextFilter):
    """A text field in the list of filters; subclasses define the condition."""

    def __init__(
        self,
        field: Field[object, object],
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: AnyAdmin,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.lookup_kwarg = self.field_path
        self.lookup_val: list[str] | None = params.pop(self.lookup_kwarg, None)

    def text(self) -> str:
        """Return the entered text without spaces around it."""
        return str((self.lookup_val or [""])[-1]).strip()


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
