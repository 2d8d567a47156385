"""Parts of sentences: times, reasons, enumerations."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext

from enterprise_catalog.admin_pages.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Maximum length of a vendor's message in a sentence, in characters.
_MOST: Final = 300
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
