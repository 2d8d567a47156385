"""The chain of steps from the content's source to the LMS: each passed, failed, or not reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.domain import FAILURES, Action, Outcome, PlannedItem, State
from enterprise_catalog.integrated_channels.models import LABELS
from enterprise_catalog.integrated_channels.reporting.wording import (
    MOST_NOTES,
    because,
    change_notes,
    excluded_note,
    joined,
    plain,
    quoted,
)
from enterprise_catalog.integrated_channels.sync.plan import Idle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.integrated_channels.catalog_api.lookups import LookedUpCatalog, LookedUpQuery
    from enterprise_catalog.integrated_channels.models import TransmissionAttempt
    from enterprise_catalog.integrated_channels.reporting.facts import Facts


class StepName(StrEnum):
    """The steps, in order."""

    SOURCE = "source"
    QUERY = "query"
    REFRESH = "refresh"
    CATALOG = "catalog"
    CONFIGURATION = "configuration"
    DIFF = "diff"
    TRANSFORM = "transform"
    PLAN = "plan"
    ATTEMPTS = "attempts"
    LMS = "lms"


class StepState(StrEnum):
    """The result of a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain."""

    name: StepName
    label: str
    state: StepState
    detail: str  #: A sentence; empty if the step was not reached.


_LABELS: Final[Mapping[StepName, StrOrPromise]] = {
    StepName.SOURCE: _("Source"),
    StepName.QUERY: _("Catalog queries"),
    StepName.REFRESH: _("Last refresh of the queries"),
    StepName.CATALOG: _("Catalogs of the customer"),
    StepName.CONFIGURATION: _("Sent by this configuration"),
    StepName.DIFF: _("Last sync"),
    StepName.TRANSFORM: _("Translation"),
    StepName.PLAN: _("Plan of the next sync"),
    StepName.ATTEMPTS: _("Recent attempts"),
    StepName.LMS: _("In the LMS now"),
}

#: Result of a check: passed, or ``None`` if there is nothing to check; and the sentence.
_Check = tuple[bool | None, str]

_IDLE: Final[Mapping[Idle, StrOrPromise]] = {
    Idle.MATCHED: _("Nothing to send: the LMS has the newest version."),
    Idle.BACK: _("Nothing to send: the LMS already has this version."),
    Idle.DEAD: _("Not sent again: it failed too often."),
    Idle.WITHDRAWN: _("Nothing to delete: it was never sent."),
    Idle.KEPT: _("Not deleted: a user decided to keep it."),
    Idle.STAGED: _("Nothing to send: it is in the feed."),
}
_PASSED: Final = (Idle.MATCHED, Idle.BACK, Idle.STAGED)


def list_steps(facts: Facts) -> Sequence[Step]:
    """Return the steps in order. After a failed step, the following ones are not reached, except what has happened.

    Without a query that is refreshed from course-discovery, there is no step of refreshes.
    """
    return list(_steps(facts))


def _steps(facts: Facts) -> Iterator[Step]:
    is_reached = True
    for name, check in _CHECKS:
        if name is StepName.REFRESH and _is_imported(facts):
            continue
        is_delete = name is StepName.PLAN and facts.item is None and facts.step is not None
        passed, detail = check(facts) if is_reached or is_delete or name in _FACTS else (None, "")
        state = StepState.NOT_REACHED if passed is None else StepState.PASSED if passed else StepState.FAILED
        yield Step(name, str(_LABELS[name]), state, detail)
        is_reached = is_reached and state is not StepState.FAILED


def _check_source(facts: Facts) -> _Check:
    if facts.lookup is None:
        return None, gettext("The catalog service gave no usable response.")
    if not facts.lookup.is_known:
        return False, gettext("The catalog service has no content with this key.")
    kind = facts.lookup.content_type or ""
    changed = {"time": moment_text(facts.lookup.updated_at)}
    title = quoted([facts.lookup.title]) if facts.lookup.title else gettext("No title")
    return True, joined(f"{title} ({kind}).", gettext("Last changed on %(time)s.") % changed)


def _check_query(facts: Facts) -> _Check:
    """Check that the content filters do not exclude the item."""
    relevant = _relevant(facts)
    queries = list(dict.fromkeys(catalog.query.title for catalog in relevant if catalog.query))
    if not queries:
        return None, gettext("No catalog has a query.") if relevant else ""
    excluding = [catalog for catalog in relevant if catalog.excluded_by]
    if excluding and len(excluding) == len(relevant):
        return False, joined(*(note for each in excluding[:MOST_NOTES] for note in excluded_note(each)))
    used = gettext("The catalogs use %(queries)s.") % {"queries": quoted(queries)}
    return True, joined(used, gettext("Filled from imported files.") if _is_imported(facts) else "")


def _is_imported(facts: Facts) -> bool:
    """Return True if imported files fill all queries of the relevant catalogs, of which there is at least one."""
    queries = [catalog.query for catalog in _relevant(facts) if catalog.query]
    return bool(queries) and not any(query.is_refreshed for query in queries)


def _check_refresh(facts: Facts) -> _Check:
    """Check that the queries were refreshed, and that no refresh has removed the item or waits for approval."""
    relevant = [catalog for catalog in _relevant(facts) if catalog.query and catalog.query.is_refreshed]
    if not relevant:
        return None, ""
    queries = {catalog.query.title: catalog.query for catalog in relevant if catalog.query}
    ages = [_age_of(query) for query in list(queries.values())[:MOST_NOTES]]
    notes = [note for catalog in relevant for note in change_notes(catalog, is_desired=facts.is_in_catalog)]
    is_unsettled = any(query.refreshed_at is None or query.last_refresh == "failed" for query in queries.values())
    is_passed = facts.is_in_catalog or not (notes or is_unsettled)
    return is_passed, joined(*ages, *notes[:MOST_NOTES])


def _age_of(query: LookedUpQuery) -> str:
    names = {"query": query.title, "time": moment_text(query.refreshed_at)}
    if query.refreshed_at is None:
        age = gettext("“%(query)s” has not been refreshed yet.") % names
    else:
        age = gettext("“%(query)s” was refreshed on %(time)s.") % names
    return joined(age, gettext("A later refresh failed.") if query.last_refresh == "failed" else "")


def _relevant(facts: Facts) -> Sequence[LookedUpCatalog]:
    """Return the catalogs that contain the item; all of them if none does."""
    return [catalog for catalog in facts.catalogs if catalog.contains] or facts.catalogs


def _check_catalog(facts: Facts) -> _Check:
    if facts.lookup is None:
        return None, ""
    containing = [catalog.title for catalog in facts.catalogs if catalog.contains]
    every = len(facts.catalogs)
    if not containing:
        none = ngettext("Not in the customer's catalog.", "In none of the customer's %(number)d catalogs.", every)
        return False, none % {"number": every} if every else gettext("The customer has no catalog.")
    return True, gettext("In %(catalogs)s.") % {"catalogs": quoted(containing)}


def _check_configuration(facts: Facts) -> _Check:
    if facts.problem:
        return False, plain(facts.problem)
    if facts.lookup is None:
        return None, ""
    if not facts.configuration.catalog_uuids:
        return True, gettext("It sends all catalogs of the customer.")
    sent = quoted(catalog.title for catalog in facts.catalogs if catalog.uuid in facts.sent)
    return facts.item is not None, gettext("It sends only %(catalogs)s.") % {"catalogs": sent}


def _check_diff(facts: Facts) -> _Check:
    run, row = facts.rows.last_run, facts.rows.row
    if run is None and row is None:
        return None, gettext("This configuration has never been synced.")
    when = gettext("Started on %(time)s.") % {"time": moment_text(run.started_at)} if run else ""
    if row is None:
        return None, joined(when, gettext("It did not find this item in the catalogs yet, or stopped before."))
    return True, joined(when, gettext("The item is known since %(time)s.") % {"time": moment_text(row.created_at)})


def _check_transform(facts: Facts) -> _Check:
    if facts.refusal:
        return False, plain(facts.refusal)
    if facts.translation is None:
        return None, ""
    return True, gettext("It can be translated for %(channel)s.") % {"channel": facts.channel_label}


def _check_plan(facts: Facts) -> _Check:
    step = facts.step
    if not facts.configuration.active:
        return False, gettext("No sync: the configuration is inactive.")
    if step is Idle.WAITING:
        due = facts.record.next_attempt_at if facts.record else None
        return False, gettext("It waits until %(time)s after a failure.") % {"time": moment_text(due)}
    if isinstance(step, Idle):
        return step in _PASSED, str(_IDLE[step])
    if isinstance(step, PlannedItem):
        return _check_planned(facts, step)
    return None, ""


def _check_planned(facts: Facts, step: PlannedItem) -> _Check:
    if step.action is Action.DELETE and facts.state is State.HELD:
        return False, gettext("Its delete is held until a user approves it.")
    planned = gettext("%(action)s: %(reason)s.") % {"action": LABELS[step.action], "reason": step.reason}
    limit = facts.configuration.max_chunks_per_run
    if limit is None:
        return True, planned
    chunks = ngettext("A run sends at most %(number)d chunk.", "A run sends at most %(number)d chunks.", limit)
    return True, joined(planned, chunks % {"number": limit})


def _check_attempts(facts: Facts) -> _Check:
    attempts = facts.rows.attempts
    if not attempts:
        return None, gettext("It was never sent to the LMS.") if facts.rows.row else ""
    newest = attempts[0].outcome
    return bool(newest) and Outcome(newest) not in FAILURES, " ".join(map(_attempt, attempts))


def _attempt(attempt: TransmissionAttempt) -> str:
    code = " ".join(str(part) for part in (attempt.status_code, attempt.vendor_code) if part)
    outcome = LABELS[attempt.outcome] if attempt.outcome else gettext("no response yet")
    what = f"{moment_text(attempt.started_at)}: {LABELS[attempt.action]}, {outcome}"
    return because(f"{what} ({code})" if code else what, attempt.message)


def _check_lms(facts: Facts) -> _Check:
    live = facts.live
    if live is None:
        return None, gettext("Not looked up.")
    if live.problem:
        return None, plain(live.problem)
    if not live.is_there:
        return False, gettext("The LMS does not have it.")
    known = {"id": live.remote_id}
    if live.is_offered:
        return True, gettext("Learners see it (id %(id)s).") % known
    return False, gettext("The LMS hides it from learners (id %(id)s).") % known


#: Steps that report what has happened, and so are shown after a failed step too.
_FACTS: Final = (StepName.ATTEMPTS, StepName.LMS)
_CHECKS: Final[Sequence[tuple[StepName, Callable[[Facts], _Check]]]] = (
    (StepName.SOURCE, _check_source),
    (StepName.QUERY, _check_query),
    (StepName.REFRESH, _check_refresh),
    (StepName.CATALOG, _check_catalog),
    (StepName.CONFIGURATION, _check_configuration),
    (StepName.DIFF, _check_diff),
    (StepName.TRANSFORM, _check_transform),
    (StepName.PLAN, _check_plan),
    (StepName.ATTEMPTS, _check_attempts),
    (StepName.LMS, _check_lms),
)
