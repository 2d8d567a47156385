"""One search term -> the transmissions that it means. Each kind of search is answered by an index."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django_stubs_ext import StrOrPromise

    Transmissions = QuerySet[ContentMetadataItemTransmission]

#: Maximum number of configurations of one customer. With 1,000 values, MariaDB converts a condition to a join.
MAX_CONFIGURATIONS: Final = 999


class Kind(StrEnum):
    """The column that a search term is compared with; also the word before a colon that chooses it."""

    CUSTOMER = "customer"  #: The customer's complete UUID.
    KEY = "key"  #: The beginning of a content key, compared exactly.
    TITLE = "title"  #: The beginning of a title, in any case.
    REMOTE_ID = "remote"  #: The LMS's own id, complete.
    REASON = "reason"  #: The beginning of a reason, in any case.


_SENTENCES: Final[dict[Kind, StrOrPromise]] = {
    Kind.CUSTOMER: _("Items of the customer %(text)s"),
    Kind.KEY: _("Items whose key starts with “%(text)s”"),
    Kind.TITLE: _("Items whose title starts with “%(text)s”"),
    Kind.REMOTE_ID: _("Items with the LMS's id “%(text)s”"),
    Kind.REASON: _("Items whose reason starts with “%(text)s”"),
}


@dataclass(frozen=True, slots=True)
class Search:
    """A recognized search term."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return gettext(str(_SENTENCES[self.kind])) % {"text": self.text}

    def rows(self, transmissions: Transmissions) -> Transmissions:
        """Return the transmissions that the search finds, in the order of the index that finds them."""
        match self.kind:
            case Kind.CUSTOMER:
                found = transmissions.filter(configuration_id__in=configurations_of(self.text))
                return found.order_by("configuration_id", "content_key")
            case Kind.KEY:
                return transmissions.filter(key_starts_with(self.text)).order_by("content_key", "id")
            case Kind.TITLE:
                return transmissions.filter(content_title__istartswith=self.text).order_by("content_title", "id")
            case Kind.REMOTE_ID:
                return transmissions.filter(remote_id=self.text).order_by("id")
            case Kind.REASON:
                found = transmissions.filter(problem__istartswith=self.text)
                return found.order_by("problem", "configuration_id", "id")


def recognize(term: str, among: Transmissions | None = None) -> Search | None:
    """Return the search that a term means; ``None`` without a term.

    A word and a colon choose the kind: ``title: intro``. Otherwise a UUID is a customer's if a configuration has it.
    Any other term is the first of these that finds an item: a key, a title, an LMS's id, a reason; else a key.

    Args:
        among: the items to find; all by default.
    """
    rows = ContentMetadataItemTransmission.objects.all() if among is None else among
    text = term.strip()
    if not text:
        return None
    word, colon, rest = text.partition(":")
    if colon and word.lower() in list(Kind) and rest.strip():
        return Search(Kind(word.lower()), rest.strip())
    if configurations_of(text):
        return Search(Kind.CUSTOMER, text)
    # Keys may end with spaces that count.
    searches = [Search(Kind.KEY, term), *(Search(kind, text) for kind in (Kind.TITLE, Kind.REMOTE_ID, Kind.REASON))]
    return next((search for search in searches if search.rows(rows).exists()), searches[0])


def configurations_of(customer: str) -> list[int]:
    """Return the ids of the customer's configurations, at most 999; none if the text is not a UUID."""
    try:
        rows = ChannelConfiguration.objects.filter(enterprise_customer_uuid=UUID(customer.strip()))
    except ValueError:
        return []
    return list(rows.order_by("pk").values_list("pk", flat=True)[:MAX_CONFIGURATIONS])
