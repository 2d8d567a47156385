"""Parts of sentences: times, reasons, enumerations; and sentences about refreshes."""

from __future__ import annotations

import html
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.catalog_api.lookups import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.catalog_api.lookups import LookedUpCatalog
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Maximum length of a vendor's message in a sentence, in characters.
_MOST: Final = 300
#: Sentences about refreshes of one item. A customer may have hundreds of catalogs.
MOST_NOTES: Final = 3
_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")


def plain(reason: str) -> str:
    """Return a reason as one sentence of plain text. A vendor's error page may be HTML.

    The stored reason and the attempt's message keep the whole response.
    """
    text = " ".join(html.unescape(_TAG.sub(" ", reason)).split())
    if len(text) > _MOST:
        text = f"{text[:_MOST].rstrip()}…"
    return text if not text or text[-1] in ".!?…" else f"{text}."


def because(statement: str, reason: str) -> str:
    """Return ``statement: reason``, or only the statement without a reason. The statement has no final period."""
    return f"{statement}: {plain(reason)}" if plain(reason) else f"{statement}."


def joined(*sentences: str) -> str:
    """Return the sentences that are not empty, separated by spaces."""
    return " ".join(sentence.strip() for sentence in sentences if sentence)


def due_text(configuration: ChannelConfiguration, now: datetime) -> str:
    """Return when the next sync is due, to follow "The next sync, "."""
    due = configuration.next_sync_at
    return gettext("on %(time)s") % {"time": moment_text(due)} if due and due > now else gettext("which is due now")


def tries_text(failures: int) -> str:
    """Return the number of failed attempts as a sentence."""
    return ngettext("Tried once.", "Tried %(number)d times.", failures) % {"number": failures}


def quoted(names: Iterable[str], *, most: int = 3) -> str:
    """Return names in quotation marks; at most ``most``, and the number of the others."""
    every: Sequence[str] = list(names)
    shown = ", ".join(f"“{name}”" for name in every[:most])
    if len(every) <= most:
        return shown
    others = len(every) - most
    more = ngettext("and %(number)d more", "and %(number)d more", others) % {"number": others}
    return f"{shown} {more}"


def refresh_notes(catalogs: Iterable[LookedUpCatalog], *, is_desired: bool) -> str:
    """Return sentences about the customer's catalogs that are filled from course-discovery; empty if there are none.

    They name a held refresh that would add or remove the item. If no catalog contains it, they also name the refresh
    that removed it, and the members of a content filter that exclude it.

    Args:
        is_desired: a catalog contains the item.
    """
    sentences = (sentence for catalog in catalogs for sentence in _refreshes_of(catalog, is_desired=is_desired))
    return joined(*islice(sentences, MOST_NOTES))


def _refreshes_of(catalog: LookedUpCatalog, *, is_desired: bool) -> Iterator[str]:
    yield from change_notes(catalog, is_desired=is_desired)
    if not is_desired:
        yield from excluded_note(catalog)


def change_notes(catalog: LookedUpCatalog, *, is_desired: bool) -> Iterator[str]:
    """Yield a sentence about a held refresh that would add or remove the item, or about the one that removed it."""
    names, change = {"catalog": catalog.title}, catalog.last_change
    if change is not None and change.is_held:
        held = (
            gettext("A refresh of catalog “%(catalog)s” would add it, and waits for approval.")
            if change.change is ChangeKind.ADDED
            else gettext("A refresh of catalog “%(catalog)s” would remove it, and waits for approval.")
        )
        yield held % names
    if not is_desired and change is not None and change.change is ChangeKind.REMOVED and not change.is_held:
        removed = gettext("A refresh removed it from catalog “%(catalog)s” on %(time)s.")
        yield removed % {**names, "time": moment_text(change.changed_at)}


def excluded_note(catalog: LookedUpCatalog) -> Iterator[str]:
    """Yield a sentence about the members of the content filter that exclude the item, if there are any."""
    if catalog.excluded_by:
        excluded = gettext("The content filter of catalog “%(catalog)s” excludes it (%(members)s).")
        yield excluded % {"catalog": catalog.title, "members": ", ".join(catalog.excluded_by)}
