"""Actions of lists: first a confirmation page with the exact number of rows, then batches of exactly these rows.

Django runs an action on the whole queryset, although the list counts only its first rows. Here, the first request
collects the primary keys of the chosen rows and shows their number. The second request returns the signed keys
(``confirmation.py``) and runs the action on them in batches, one transaction each. Rows added in between are never
changed. Rows that no longer match the list's filters are skipped, and their number is reported.

The same actions are available for one row, at a URL of their own (``object_actions.py``). Each action that ran leaves
an entry in Django's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Final

import structlog
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import model_format_dict
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from typing_extensions import override

from enterprise_catalog.admin_pages.actions.confirmation import Confirmation, TooManyRowsError, UnusableError
from enterprise_catalog.admin_pages.actions.declaration import (
    MAX_REASON_LENGTH,
    Effects,
    Reason,
    Result,
    Running,
    reason_of,
)
from enterprise_catalog.db.contention import REQUEST_SECONDS, ContentionError, retry
from enterprise_catalog.db.time_limit import TimeLimitError, time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponseBase
    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.admin_pages.actions.confirmation import Key
    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin

    #: Message and level.
    Message = tuple[StrOrPromise, int | str]
    #: Function, name and description, as in Django's dictionary of actions.
    Action = tuple[Callable[..., object], str, str]

    class _Request(HttpRequest):
        """A request for an action."""

        action_messages: list[Message]

else:
    AnyAdmin = object

logger = structlog.get_logger(__name__)

#: The number of rows that the confirmation page lists.
SAMPLE_ROWS: Final = 10
#: The most messages that one action shows.
MAX_MESSAGES: Final = 20
#: Time limit for finding the rows, in seconds.
SEARCH_SECONDS: Final = 30


class ConfirmedActions(AnyAdmin):
    """Mixin for pages: requires a confirmation for every action, including actions of other packages."""

    action_confirmation_template = "admin_pages/action_confirmation.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Action]:  # type: ignore[override]  # the stubs require that actions return texts
        """Return Django's dictionary of actions with each function wrapped."""
        actions = super().get_actions(request)
        return {name: (_confirmed(*action), name, action[2]) for name, action in actions.items() if action}

    def _filter_actions_by_permissions(self, request: HttpRequest, actions: Iterable[Action]) -> list[Action]:
        """Offer actions without declared permissions, as in other packages, only to users who may change rows."""
        allowed: list[Action] = super()._filter_actions_by_permissions(request, actions)  # type: ignore[misc]  # Django's own method
        may_change = self.has_change_permission(request)
        return [action for action in allowed if may_change or hasattr(action[0], "allowed_permissions")]

    @override
    def message_user(
        self,
        request: HttpRequest,
        message: StrOrPromise,
        level: int | str = messages.INFO,
        extra_tags: str = "",
        fail_silently: bool = False,
    ) -> None:
        """Show a message; during an action, keep it until all batches have run."""
        kept: list[Message] | None = getattr(request, "action_messages", None)
        if kept is None:
            super().message_user(request, message, level, extra_tags, fail_silently)
        elif (message, level) not in kept:
            kept.append((message, level))


def _confirmed(action: Callable[..., object], name: str, description: str) -> Callable[..., object]:
    def ask_or_run(page: ConfirmedActions, request: _Request, queryset: QuerySet[Model]) -> HttpResponseBase | None:
        return _Order(page, request, action, name, description, queryset).handle()

    return update_wrapper(ask_or_run, action)


class _RefusedError(Exception):
    """The action does not run; the message is for the user."""

    def __init__(self, message: str, level: int = messages.ERROR) -> None:
        super().__init__(message)
        self.level = level


@dataclass(slots=True)
class _Order:
    """One request for an action."""

    page: ConfirmedActions
    request: _Request
    action: Callable[..., object]
    name: str
    description: str
    chosen: QuerySet[Model]

    @property
    def running(self) -> Running:
        return getattr(self.action, "running", Running())

    @property
    def subject(self) -> str:
        """The table, the action and the user, to which a confirmation is bound."""
        return f"{self.page.opts.label}.{self.name} by {self.request.user.pk}"

    @property
    def title(self) -> str:
        return str(self.description % model_format_dict(self.page.opts))

    @property
    def targets(self) -> QuerySet[Model]:
        find, recheck = self.running.targets, self.running.recheck
        if recheck and "confirmation" in self.request.POST:
            return recheck()
        return find(self.page, self.chosen) if find else self.chosen

    def handle(self) -> HttpResponseBase | None:
        """Return the confirmation page. If the request contains a confirmation, run the action.

        Returns ``None`` to show the page that the user came from.
        """
        try:
            text = self.request.POST.get("confirmation")
            return self._ask() if text is None else self._answer(text)
        except _RefusedError as error:
            self._tell(str(error), error.level)
            return None

    def _answer(self, text: str) -> HttpResponseBase | None:
        try:
            confirmation = Confirmation.read(text, subject=self.subject)
        except UnusableError:
            message = gettext("This confirmation has expired or does not belong to this action. Please start again.")
            raise _RefusedError(message) from None
        if self.running.reason is Reason.REQUIRED and not reason_of(self.request):
            return self._ask_again(confirmation.keys, gettext("Enter a reason."))
        effects = self._effects(confirmation.keys)
        if effects.obstacles or effects.consequences != confirmation.effects:
            notice = gettext("The rows have changed since you opened this page. Please check the numbers again.")
            return self._ask_again(confirmation.keys, notice)
        result = self._run(confirmation.keys)
        return HttpResponseRedirect(result.url) if result.url else None

    def _ask(self) -> HttpResponseBase:
        keys, sample = self._find()
        return self._question(keys, sample)

    def _ask_again(self, confirmed: Sequence[Key], notice: str) -> HttpResponseBase:
        """Ask again about the confirmed rows; ``notice`` is the reason."""
        keys = tuple(key for batch in _parts(confirmed, self.running.batch_size) for key in self._still(batch))
        if not keys:
            raise _RefusedError(
                gettext("All of the rows have changed since you opened the confirmation page. Please start again.")
            )
        sample = list(self.targets.filter(pk__in=keys[:SAMPLE_ROWS]))
        return self._question(keys, sample, notice=notice)

    def _question(self, keys: tuple[Key, ...], sample: Sequence[Model], *, notice: str = "") -> HttpResponseBase:
        effects = self._effects(keys)
        try:
            text = Confirmation(self.subject, keys, effects.consequences).sign()
        except TooManyRowsError:
            message = gettext("“%(action)s”: %(number)s rows are too many. Narrow the list with a filter.")
            raise _RefusedError(message % {"action": self.title, "number": f"{len(keys):,}"}) from None
        return self._page(keys=keys, sample=sample, effects=effects, text=text, notice=notice)

    def _find(self) -> tuple[tuple[Key, ...], Sequence[Model]]:
        """Return the primary keys of the rows, and the first rows in the list's order."""
        limit = self.running.max_rows
        try:
            with time_limit(SEARCH_SECONDS):
                keys, sample = _keys(self.targets, limit + 1), list(self.targets[:SAMPLE_ROWS])
        except TimeLimitError:
            message = ngettext(
                "The search was stopped after %(seconds)d second. Narrow the list with a filter.",
                "The search was stopped after %(seconds)d seconds. Narrow the list with a filter.",
                SEARCH_SECONDS,
            )
            raise _RefusedError(message % {"seconds": SEARCH_SECONDS}) from None
        if not keys:
            message = gettext("“%(action)s”: nothing to do for the selected rows.")
            raise _RefusedError(message % {"action": self.title}, messages.WARNING)
        if len(keys) > limit:
            message = ngettext(
                "“%(action)s” accepts at most %(number)s row at once. Narrow the list with a filter.",
                "“%(action)s” accepts at most %(number)s rows at once. Narrow the list with a filter.",
                limit,
            )
            raise _RefusedError(message % {"action": self.title, "number": f"{limit:,}"})
        return keys, sample

    def _page(
        self, *, keys: Sequence[Key], sample: Sequence[Model], effects: Effects, text: str, notice: str
    ) -> HttpResponseBase:
        context = {
            **self.page.admin_site.each_context(self.request),
            "title": self.title,
            "subtitle": None,
            "opts": self.page.opts,
            "action": self.name,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "first_key": self.request.POST.get(ACTION_CHECKBOX_NAME, ""),
            "rows": _counted(self.targets.model, len(keys)),
            "sample": sample,
            "others": f"{len(keys) - len(sample):,}" if len(keys) > len(sample) else "",
            "effects": effects,
            "confirmation": text,
            "notice": notice,
            "reason": self.running.reason,
            "entered_reason": reason_of(self.request),
            "max_reason_length": MAX_REASON_LENGTH,
        }
        self.request.current_app = self.page.admin_site.name
        return TemplateResponse(self.request, self.page.action_confirmation_template, context)

    def _effects(self, keys: Sequence[Key]) -> Effects:
        find = self.running.effects
        return find(self.page, self.request, keys) if find else Effects()

    def _run(self, keys: Sequence[Key]) -> Result:
        """Run the action in batches, and report the result."""
        result, done = Result(), 0
        self.request.action_messages = kept = []  # Read by message_user.
        try:
            with self.running.around():
                for batch in _parts(keys, self.running.batch_size):
                    result.add(self._run_batch(batch))
                    done += len(batch)
        except (OperationalError, ContentionError):
            logger.exception("action.stopped", action=self.name, done=done, rows=len(keys))
            message = ngettext(
                "“%(action)s” stopped after %(done)s of %(number)s row.",
                "“%(action)s” stopped after %(done)s of %(number)s rows.",
                len(keys),
            )
            advice = gettext(
                "The database reported an error. The other rows were not changed; run the action on them again."
            )
            numbers = {"done": f"{done:,}", "number": f"{len(keys):,}"}
            kept.append((f"{message % {'action': self.title, **numbers}} {advice}", messages.ERROR))
        finally:
            del self.request.action_messages
        if self.running.is_logged:
            self._log(keys[:done])
        self._report(result, kept)
        return result

    def _log(self, keys: Sequence[Key]) -> None:
        """Write one entry to Django's log: of the row, or of the table if the action ran on several rows."""
        if not keys:
            return
        model = self.targets.model
        rows = model._default_manager.filter(pk=keys[0]) if len(keys) == 1 else model._default_manager.none()
        assert self.request.user.pk is not None
        LogEntry.objects.create(
            user_id=self.request.user.pk,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(keys[0]) if len(keys) == 1 else None,
            object_repr=str(rows.first() or _counted(model, len(keys)))[:200],
            action_flag=CHANGE,
            change_message=" ".join(filter(None, (f"{self.title}.", reason_of(self.request)))),
        )

    def _run_batch(self, batch: Sequence[Key]) -> Result:
        if not self.running.in_transaction:
            return self._act(batch)
        return retry(partial(self._act_in_transaction, batch), seconds=REQUEST_SECONDS)

    def _act_in_transaction(self, batch: Sequence[Key]) -> Result:
        with transaction.atomic():
            return self._act(batch)

    def _still(self, batch: Sequence[Key]) -> tuple[Key, ...]:
        """Return the keys of the batch's rows that still match the list's filters."""
        return _keys(self.targets.filter(pk__in=batch))

    def _act(self, batch: Sequence[Key]) -> Result:
        """Run the action on the batch's rows that have not changed since the confirmation."""
        targets, keys = self.targets, self._still(batch)
        # Without the list's joins and order, which not every database supports in an UPDATE.
        plain = targets.model._default_manager.filter(pk__in=keys)
        returned = self.action(self.page, self.request, plain) if keys else None
        result = returned if isinstance(returned, Result) else Result()
        if changed := len(batch) - len(keys):
            result.skipped[gettext("changed since you confirmed")] += changed
        return result

    def _report(self, result: Result, kept: Sequence[Message]) -> None:
        if text := "; ".join(_in_words(result, self.targets.model)):
            self._tell(f"{text}.", messages.SUCCESS if result.done else messages.WARNING)
        for message, level in kept[:MAX_MESSAGES]:
            self._tell(message, level)
        if len(kept) > MAX_MESSAGES:
            others = len(kept) - MAX_MESSAGES
            text = ngettext("%(number)s more message is not shown.", "%(number)s more messages are not shown.", others)
            self._tell(text % {"number": f"{others:,}"}, messages.WARNING)

    def _tell(self, message: StrOrPromise, level: int | str = messages.ERROR) -> None:
        self.page.message_user(self.request, message, level)


def _keys(rows: QuerySet[Model], limit: int | None = None) -> tuple[Key, ...]:
    """Return the primary keys, ascending.

    Sorted in Python: with ORDER BY, the database would sort whole rows, or read them in a slower order.
    """
    return tuple(sorted(set(rows.order_by().values_list("pk", flat=True)[:limit])))


def _parts(keys: Sequence[Key], size: int) -> Iterator[Sequence[Key]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _in_words(result: Result, model: type[Model]) -> Iterator[str]:
    for what, number in result.done.items():
        yield gettext("%(rows)s %(done)s") % {"rows": _counted(model, number), "done": what}
    for why, number in result.skipped.items():
        text = ngettext("%(number)s skipped (%(reason)s)", "%(number)s skipped (%(reason)s)", number)
        yield text % {"number": f"{number:,}", "reason": why}


def _counted(model: type[Model], number: int) -> str:
    """Return ``1 transmission`` or ``1,234 transmissions``."""
    options = model._meta
    return f"{number:,} {options.verbose_name if number == 1 else options.verbose_name_plural}"
