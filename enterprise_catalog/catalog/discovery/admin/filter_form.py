"""The admin's form of a query: checks its content filter, and shows the effect of an edit before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import orjson
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.widgets import CheckBox
from enterprise_catalog.catalog.discovery.documents import UnusableResultError
from enterprise_catalog.catalog.discovery.filters import FilterError, check_filter, hash_filter
from enterprise_catalog.catalog.discovery.preview import preview_filter
from enterprise_catalog.catalog.models import CatalogQuery, QuerySource
from enterprise_catalog.service_client.exceptions import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    ModelForm = forms.ModelForm[CatalogQuery]
else:
    ModelForm = forms.ModelForm

#: Time limit of the search that shows the effect of an edit; a user is waiting for the page.
PREVIEW_SECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class FilterEffect:
    """The effect of an edited filter, as the form shows it."""

    filter_hash: str
    text: str


def effect_of(query: CatalogQuery, submitted: Mapping[str, str]) -> FilterEffect | None:
    """Return the effect of the filter in a submitted form; ``None`` if it is unchanged, invalid, or was confirmed.

    Searches in course-discovery: call it outside of transactions.
    """
    try:
        content_filter = check_filter(orjson.loads(submitted.get("content_filter", "")))
    except (FilterError, orjson.JSONDecodeError):
        return None
    filter_hash = hash_filter(content_filter)
    is_confirmed = submitted.get("confirm") and submitted.get("shown_filter_hash") == filter_hash
    if query.source != QuerySource.DISCOVERY or filter_hash == query.content_filter_hash or is_confirmed:
        return None
    return FilterEffect(filter_hash, _describe(query, content_filter))


def _describe(query: CatalogQuery, content_filter: Mapping[str, object]) -> str:
    try:
        change = preview_filter(query, content_filter, seconds=PREVIEW_SECONDS)
    except (ServiceError, UnusableResultError) as error:
        return gettext("The effect of this filter is unknown: %(problem)s") % {"problem": error}
    numbers = {
        "found": f"{change.found_count:,}",
        "added": f"{len(change.added):,}",
        "removed": f"{len(change.removed):,}",
        "members": f"{change.member_count:,}",
    }
    return (
        gettext(
            "Items that this filter finds: %(found)s. To be added: %(added)s. "
            "To be removed: %(removed)s of %(members)s."
        )
        % numbers
    )


class QueryForm(ModelForm):
    """The form of a query. Its page sets :attr:`effect` before the form is validated."""

    effect: ClassVar[FilterEffect | None] = None

    confirm = forms.BooleanField(label=_("Save this filter"), required=False, widget=CheckBox())
    shown_filter_hash = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_content_filter(self) -> dict[str, object]:
        """Return the filter, if it is allowed and no other query has it.

        Raises:
            ValidationError: it is not.
        """
        content_filter = self.cleaned_data["content_filter"]
        try:
            checked = check_filter({} if content_filter is None else content_filter)
        except FilterError as error:
            raise forms.ValidationError(error.message) from error
        if self._source == QuerySource.DISCOVERY:
            same = CatalogQuery.objects.filter(content_filter_hash=hash_filter(checked)).exclude(pk=self.instance.pk)
            if other := same.first():
                message = gettext("The query “%(query)s” has the same filter. Use that query instead.")
                raise forms.ValidationError(message % {"query": other})
        return checked

    def clean(self) -> dict[str, object]:
        """Ask for a confirmation if the filter has an effect that was not shown yet.

        Raises:
            ValidationError: the user must confirm.
        """
        super().clean()
        if self.effect is not None and not self.errors:
            self.data = {**dict(self.data.items()), "shown_filter_hash": self.effect.filter_hash}
            self.data.pop("confirm", None)
            advice = gettext("Check “Save this filter” and save again to confirm.")
            self.add_error("confirm", f"{self.effect.text} {advice}")
        return self.cleaned_data

    @property
    def _source(self) -> str:
        return str(self.cleaned_data.get("source") or self.instance.source)
