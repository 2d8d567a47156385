"""Why a course is, or is not, in each of a customer's LMSs, and what to do: one finding per configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.causes import Cause, find_cause, next_action
from enterprise_catalog.integrated_channels.reporting.facts import Source, gather, read_rows
from enterprise_catalog.integrated_channels.reporting.sentences import Remedy, state_cause
from enterprise_catalog.integrated_channels.reporting.steps import Step, list_steps
from enterprise_catalog.integrated_channels.reporting.wording import joined, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.catalog_api.lookups import ContentLookup
    from enterprise_catalog.integrated_channels.domain import Action
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
    from enterprise_catalog.integrated_channels.reporting.facts import Facts
    from enterprise_catalog.integrated_channels.reporting.live import LiveItem

#: Maximum duration of each read of the catalog service while a person is waiting.
READ_TIMEOUT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an item is, or is not, in one configuration's LMS."""

    configuration_id: int
    configuration: str  #: Name.
    channel: str  #: Display name of the LMS.
    transmission_id: int | None
    cause: Cause
    sentence: str  #: What is the case.
    what_to_do: str
    action: Remedy | None  #: The action that helps.
    next_action: Action | None  #: What the next sync does with the item in the LMS; ``None`` for nothing.
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item that the user may have meant."""

    content_key: str
    title: str
    content_type: str
    match: str  #: ``spaces``, ``case``, ``run`` or ``title``: the relation to the text that was entered.


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings about one key of one customer."""

    enterprise_customer: UUID
    content_key: str
    title: str
    problem: str  #: The reason why the findings are incomplete; empty if they are complete.
    findings: Sequence[Finding]
    suggestions: Sequence[Suggestion]  #: Items with a similar key or title.


def diagnose(
    customer_uuid: UUID,
    text: str,
    *,
    catalog: CatalogClient,
    now: datetime,
    live: Mapping[int, LiveItem] | None = None,
    is_limited: bool = False,
) -> Diagnosis:
    """Return why an item is, or is not, in each of the customer's LMSs. Changes nothing.

    If the catalog service does not respond, the findings follow from the last sync, and ``problem`` names the reason.

    Args:
        text: the content key, compared exactly; for a similar key, a run key or a title, there are suggestions.
        live: configuration id -> the LMS's response, for the configurations whose LMS was asked.
        is_limited: show nothing about content that is in none of the customer's catalogs, and no text of a user.
    """
    rows = ChannelConfiguration.objects.not_deleted().filter(enterprise_customer_uuid=customer_uuid)
    configurations = list(rows.order_by("pk"))
    if is_limited:
        for configuration in configurations:
            configuration.pause_reason = ""
    look_up = partial(_look_up, catalog, customer_uuid, text, is_limited=is_limited)
    return _diagnose(customer_uuid, text, configurations, look_up, now=now, live=live or {})


def diagnose_row(
    row: ContentMetadataItemTransmission, *, catalog: CatalogClient, now: datetime, live: LiveItem | None = None
) -> tuple[Finding, str]:
    """Return the finding about a row with its configuration loaded, and the reason if it is incomplete."""
    configuration = row.configuration
    customer, asked = configuration.enterprise_customer_uuid, {configuration.pk: live} if live else {}
    look_up = partial(_look_up, catalog, customer, row.content_key)
    diagnosis = _diagnose(customer, row.content_key, [configuration], look_up, now=now, live=asked)
    return diagnosis.findings[0], diagnosis.problem


def _look_up(catalog: CatalogClient, customer_uuid: UUID, text: str, *, is_limited: bool = False) -> Source:
    lookup = catalog.look_up(customer_uuid, text)
    return Source(text, catalog, lookup.within_catalogs() if is_limited else lookup)


def _diagnose(
    customer_uuid: UUID,
    text: str,
    configurations: Sequence[ChannelConfiguration],
    look_up: Callable[[], Source],
    *,
    now: datetime,
    live: Mapping[int, LiveItem],
) -> Diagnosis:
    rows = read_rows(configurations, text, now=now)

    def findings(source: Source) -> list[Finding]:
        every = (gather(each, rows[each.pk], source, now=now, live=live.get(each.pk)) for each in configurations)
        return [_finding(facts) for facts in every]

    problem = ""
    try:
        source = look_up()
        found = findings(source)
    except CatalogUnavailableError as error:
        problem, source = _problem(error, customer_uuid), Source(text, None)
        found = findings(source)
    stored = [each.row.content_title for each in rows.values() if each.row]
    titles = [source.lookup.title if source.lookup else "", *stored]
    return Diagnosis(
        enterprise_customer=customer_uuid,
        content_key=text,
        title=next(filter(None, titles), ""),
        problem=problem,
        findings=found,
        suggestions=_suggestions(source.lookup) if source.lookup else (),
    )


def _suggestions(lookup: ContentLookup) -> Sequence[Suggestion]:
    if any(catalog.contains for catalog in lookup.catalogs):
        return ()
    return [Suggestion(each.content_key, each.title, each.content_type, each.match) for each in lookup.suggestions]


def _finding(facts: Facts) -> Finding:
    cause = find_cause(facts)
    statement = state_cause(facts, cause)
    return Finding(
        configuration_id=facts.configuration.pk,
        configuration=str(facts.configuration),
        channel=facts.channel_label,
        transmission_id=facts.rows.row.pk if facts.rows.row else None,
        cause=cause,
        sentence=statement.sentence,
        what_to_do=statement.what_to_do,
        action=statement.remedy,
        next_action=next_action(facts, cause),
        steps=list_steps(facts),
    )


def _problem(error: CatalogUnavailableError, customer_uuid: UUID) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        unknown = gettext("The catalog service has no customer %(customer)s. Check the UUID.")
        return unknown % {"customer": customer_uuid}
    incomplete = gettext("These findings are based on the last syncs only.")
    return joined(incomplete, plain(error.message))
