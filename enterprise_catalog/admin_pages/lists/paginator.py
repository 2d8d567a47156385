"""Pagination of a list that may have tens of millions of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django.core.paginator import Page

    _Paginator = Paginator[object]
else:
    _Paginator = Paginator

#: The most rows that a list counts, and the last row that can be reached by paging. Further rows are found by
#: searching. Counting reads each row twice: from an index, and from the result of the inner statement.
MAX_ROWS: Final = 2_000


class CappedPaginator(_Paginator):
    """Counts at most :data:`MAX_ROWS` rows and has no pages beyond them: both would scan the table."""

    #: The template below the rows; the attribute's name is unfold's.
    template_name = "admin_pages/pagination.html"

    def page(self, number: int | str) -> Page[object]:
        """Return a page. After the first one, its keys are read before its rows.

        A database that skipped whole rows would rather sort a table of some thousand rows than use an index.
        """
        page = super().page(number)
        rows = page.object_list
        if page.number > 1 and isinstance(rows, QuerySet):
            assert isinstance(self.object_list, QuerySet)
            page.object_list = self.object_list.filter(pk__in=list(rows.values_list("pk", flat=True)))
        return page

    @cached_property
    def count(self) -> int:
        """Count the rows, up to :data:`MAX_ROWS`."""
        return min(self._rows, MAX_ROWS)

    @property
    def is_capped(self) -> bool:
        """True if there are more rows than :attr:`count`."""
        return self._rows > MAX_ROWS

    @property
    def count_text(self) -> str:
        """The count for display, such as ``12`` or ``more than 2,000``."""
        return gettext("more than %(number)s") % {"number": f"{MAX_ROWS:,}"} if self.is_capped else f"{self.count:,}"

    @cached_property
    def _rows(self) -> int:
        assert isinstance(self.object_list, QuerySet)
        # In the list's order: the database then uses the same index as for a page, and not one that it has to scan.
        return self.object_list.values("pk")[: MAX_ROWS + 1].count()
